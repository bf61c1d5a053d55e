/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reporter: the owner's callbacks, and what must be taken out of what they are told. */
#include "reporter.h"
#include "redact.h"

/* Between two warnings about single frames. */
#define WARNING_INTERVAL G_USEC_PER_SEC

enum { TOKEN, API_KEY, FILE_KEY, LAST_TOKEN, N_SECRETS };

struct _FalReporter {
  const FalSessionOwner *owner;

  GMutex lock; /* never held while the owner is called */
  /* Everything below: lock. */
  gchar *secrets[N_SECRETS]; /* NULL: there is none */
  guint64 version;           /* of the settings that they are of */
  gchar *endpoint;           /* or NULL */
  gint64 last_warning;       /* about a single frame, monotonic µs */
};

FalReporter *
fal_reporter_new (const FalSessionOwner *owner)
{
  FalReporter *reporter = g_new0 (FalReporter, 1);

  reporter->owner = owner;
  g_mutex_init (&reporter->lock);
  return reporter;
}

void
fal_reporter_free (FalReporter *reporter)
{
  for (guint i = 0; i < N_SECRETS; i++)
    g_free (reporter->secrets[i]);
  g_free (reporter->endpoint);
  g_mutex_clear (&reporter->lock);
  g_free (reporter);
}

static void
replace_locked (gchar **field, const gchar *text)
{
  g_free (*field);
  *field = g_strdup (text);
}

static void
replace (FalReporter *reporter, gchar **field, const gchar *text)
{
  g_mutex_lock (&reporter->lock);
  replace_locked (field, text);
  g_mutex_unlock (&reporter->lock);
}

void
fal_reporter_set_endpoint (FalReporter *reporter, const gchar *endpoint)
{
  replace (reporter, &reporter->endpoint, endpoint);
}

/* Threads that set properties at once may come here in another order. */
void
fal_reporter_set_settings (FalReporter *reporter, const FalSettings *settings)
{
  g_mutex_lock (&reporter->lock);
  if (settings->version >= reporter->version) {
    reporter->version = settings->version;
    replace_locked (&reporter->secrets[TOKEN], settings->token);
    replace_locked (&reporter->secrets[API_KEY], settings->api_key);
  }
  g_mutex_unlock (&reporter->lock);
}

void
fal_reporter_set_file_key (FalReporter *reporter, const gchar *api_key)
{
  replace (reporter, &reporter->secrets[FILE_KEY], api_key);
}

void
fal_reporter_set_last_token (FalReporter *reporter, const gchar *token)
{
  replace (reporter, &reporter->secrets[LAST_TOKEN], token);
}

/* A copy, so that nothing is redacted with the lock held. */
static gchar **
list_secrets (FalReporter *reporter)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_mutex_lock (&reporter->lock);
  for (guint i = 0; i < N_SECRETS; i++)
    if (reporter->secrets[i] != NULL)
      g_strv_builder_add (builder, reporter->secrets[i]);
  g_mutex_unlock (&reporter->lock);
  return g_strv_builder_end (builder);
}

gchar *
fal_reporter_redact (FalReporter *reporter, const gchar *text)
{
  g_auto (GStrv) secrets = list_secrets (reporter);

  return fal_redact (text, (const gchar *const *) secrets);
}

void
fal_reporter_tell_state (FalReporter *reporter, FalDialerState state)
{
  reporter->owner->events.state_changed (reporter->owner->user, state);
}

static gboolean
redact_field (GQuark name, GValue *value, gpointer secrets)
{
  if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value))
    g_value_take_string (value, fal_redact (g_value_get_string (value), secrets));
  return TRUE;
}

static gchar *
dup_endpoint (FalReporter *reporter)
{
  gchar *endpoint;

  g_mutex_lock (&reporter->lock);
  endpoint = g_strdup (reporter->endpoint);
  g_mutex_unlock (&reporter->lock);
  return endpoint;
}

void
fal_reporter_tell (
    FalReporter *reporter, gboolean fatal, const GError *error, GstStructure *details)
{
  g_auto (GStrv) secrets = list_secrets (reporter);
  g_autofree gchar *text = fal_redact (error->message, (const gchar *const *) secrets);
  g_autofree gchar *endpoint = dup_endpoint (reporter);
  g_autoptr (GError) clean = g_error_new_literal (error->domain, error->code, text);

  if (details == NULL)
    details = gst_structure_new_empty ("details");
  gst_structure_map_in_place (details, redact_field, secrets);
  if (endpoint)
    gst_structure_set (details, "endpoint", G_TYPE_STRING, endpoint, NULL);
  reporter->owner->events.trouble (reporter->owner->user, fatal, clean, details);
}

void
fal_reporter_warn (FalReporter *reporter, const GError *error, GstStructure *details)
{
  gint64 now = g_get_monotonic_time ();
  gboolean due;

  g_mutex_lock (&reporter->lock);
  due = now - reporter->last_warning >= WARNING_INTERVAL;
  if (due)
    reporter->last_warning = now;
  g_mutex_unlock (&reporter->lock);
  if (due)
    fal_reporter_tell (reporter, FALSE, error, details);
  else if (details)
    gst_structure_free (details);
}

void
fal_reporter_note (FalReporter *reporter, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  reporter->owner->events.note (reporter->owner->user, text);
}

void
fal_reporter_tell_drops (FalReporter *reporter, GPtrArray *drops)
{
  if (drops == NULL)
    return;
  for (guint i = 0; i < drops->len; i++) {
    const FalDrop *drop = drops->pdata[i];

    reporter->owner->events.dropped (reporter->owner->user, drop->frame, &drop->counts);
  }
  g_ptr_array_unref (drops);
}
