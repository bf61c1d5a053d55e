/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reporter: the owner's callbacks, and what must be taken out of what they are told. */
#include "reporter.h"
#include "fal/wire/visible-text.h"
#include "redact.h"

/* Between two warnings about single frames. */
#define WARNING_INTERVAL G_USEC_PER_SEC
/* Between two times that the owner is told of drops. */
#define DROPS_INTERVAL (G_USEC_PER_SEC / 10)
/* Of one text, in characters. */
#define MAX_TEXT 4000

/* From LAST_TOKENS on: one for each connection. */
enum { TOKEN, API_KEY, FILE_KEY, LAST_TOKENS, N_SECRETS = LAST_TOKENS + FAL_MAX_CONNECTIONS };

struct _FalReporter {
  const FalSessionOwner *owner;

  GMutex lock; /* never held while the owner is called */
  /* Everything below: lock. */
  gchar *secrets[N_SECRETS]; /* NULL: there is none */
  guint64 version;           /* of the settings that they are of */
  gchar *endpoint;           /* or NULL */
  gint64 last_warning;       /* about a single frame, monotonic µs */
  gint64 last_drops;         /* when the owner was told of drops, monotonic µs */
  guint64 told;              /* the count that it was told */
  FalDrop drop;              /* that it is to be told of; its frame is NULL where there is none */
  gint has_drop;             /* atomic: there is one */
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
fal_reporter_forget_drops (FalReporter *reporter)
{
  g_mutex_lock (&reporter->lock);
  g_clear_pointer (&reporter->drop.frame, fal_frame_unref);
  reporter->told = 0;
  g_atomic_int_set (&reporter->has_drop, FALSE);
  g_mutex_unlock (&reporter->lock);
}

void
fal_reporter_free (FalReporter *reporter)
{
  fal_reporter_forget_drops (reporter);
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
fal_reporter_set_last_token (FalReporter *reporter, guint lane, const gchar *token)
{
  replace (reporter, &reporter->secrets[LAST_TOKENS + lane], token);
}

void
fal_reporter_forget_last_tokens (FalReporter *reporter)
{
  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++)
    fal_reporter_set_last_token (reporter, i, NULL);
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

/* A secret is looked for in what will be shown, of which nothing is cut off before. */
static gchar *
make_safe (const gchar *text, gpointer secrets)
{
  g_autofree gchar *visible = fal_text_make_visible (text);
  g_autofree gchar *clean = fal_redact (visible, secrets);

  return fal_text_cut (clean, MAX_TEXT);
}

gchar *
fal_reporter_redact (FalReporter *reporter, const gchar *text)
{
  g_auto (GStrv) secrets = list_secrets (reporter);

  return make_safe (text, secrets);
}

gchar *
fal_reporter_dup_endpoint (FalReporter *reporter)
{
  gchar *endpoint;

  g_mutex_lock (&reporter->lock);
  endpoint = g_strdup (reporter->endpoint);
  g_mutex_unlock (&reporter->lock);
  return endpoint;
}

void
fal_reporter_tell_state (FalReporter *reporter, FalDialerState state)
{
  g_autofree gchar *address = fal_reporter_dup_endpoint (reporter);

  reporter->owner->events.state_changed (reporter->owner->user, state, address);
}

void
fal_reporter_tell_still (FalReporter *reporter, FalDialerState state, guint seconds)
{
  reporter->owner->events.still (reporter->owner->user, state, seconds);
}

void
fal_reporter_advise (FalReporter *reporter, const GError *advice)
{
  reporter->owner->events.advice (reporter->owner->user, advice);
}

static gboolean
make_field_safe (GQuark name, GValue *value, gpointer secrets)
{
  if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value))
    g_value_take_string (value, make_safe (g_value_get_string (value), secrets));
  return TRUE;
}

void
fal_reporter_tell (
    FalReporter *reporter, gboolean fatal, const GError *error, GstStructure *details)
{
  g_auto (GStrv) secrets = list_secrets (reporter);
  g_autofree gchar *text = make_safe (error->message, secrets);
  g_autofree gchar *endpoint = fal_reporter_dup_endpoint (reporter);
  g_autoptr (GError) clean = g_error_new_literal (error->domain, error->code, text);

  if (details == NULL)
    details = gst_structure_new_empty ("details");
  gst_structure_map_in_place (details, make_field_safe, secrets);
  if (endpoint)
    gst_structure_set (details, "endpoint", G_TYPE_STRING, endpoint, NULL);
  reporter->owner->events.trouble (reporter->owner->user, fatal, clean, details);
}

gchar *
fal_reporter_count (guint n, const gchar *noun)
{
  return g_strdup_printf ("%u %s%s", n, noun, n == 1 ? "" : "s");
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
fal_reporter_warn_of (
    FalReporter *reporter, const gchar *what, const GError *error, GstStructure *details)
{
  const gchar *stop = g_str_has_suffix (error->message, ".") ? "" : ".";
  g_autoptr (GError) sentence =
      g_error_new (error->domain, error->code, "%s: %s%s", what, error->message, stop);

  fal_reporter_warn (reporter, sentence, details);
}

void
fal_reporter_note (FalReporter *reporter, const gchar *format, ...)
{
  g_autofree gchar *text = NULL, *visible = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  visible = fal_text_make_visible (text);
  reporter->owner->events.note (reporter->owner->user, visible);
}

/* The last one has the highest count, but several threads may come here in another order. */
static void
keep_last_drop (FalReporter *reporter, const GPtrArray *drops)
{
  const FalDrop *last = drops->pdata[drops->len - 1];
  guint64 known;

  g_mutex_lock (&reporter->lock);
  known = reporter->drop.frame ? reporter->drop.counts.dropped : reporter->told;
  if (last->counts.dropped > known) {
    g_clear_pointer (&reporter->drop.frame, fal_frame_unref);
    reporter->drop = (FalDrop){ fal_frame_ref (last->frame), last->counts };
    g_atomic_int_set (&reporter->has_drop, TRUE);
  }
  g_mutex_unlock (&reporter->lock);
}

/* FALSE: it is too early to tell the owner again. */
static gboolean
take_drop (FalReporter *reporter, FalDrop *drop)
{
  gint64 now = g_get_monotonic_time ();

  *drop = (FalDrop){ NULL };
  g_mutex_lock (&reporter->lock);
  if (reporter->drop.frame && now - reporter->last_drops >= DROPS_INTERVAL) {
    *drop = reporter->drop;
    reporter->drop.frame = NULL;
    reporter->told = drop->counts.dropped;
    reporter->last_drops = now;
    g_atomic_int_set (&reporter->has_drop, FALSE);
  }
  g_mutex_unlock (&reporter->lock);
  return drop->frame != NULL;
}

void
fal_reporter_tell_drops (FalReporter *reporter, GPtrArray *drops)
{
  FalDrop drop;

  if (drops != NULL && drops->len > 0)
    keep_last_drop (reporter, drops);
  g_clear_pointer (&drops, g_ptr_array_unref);
  if (!g_atomic_int_get (&reporter->has_drop) || !take_drop (reporter, &drop))
    return;
  reporter->owner->events.dropped (reporter->owner->user, drop.frame, &drop.counts);
  fal_frame_unref (drop.frame);
}
