/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the session tells its owner: troubles, without a secret in them; frames that were dropped;
 * the story of the stream. No lock is held. */
#include "redact.h"
#include "session-private.h"

/* Between two warnings about single frames. */
#define WARNING_INTERVAL G_USEC_PER_SEC

/* What a server says may hold any of them. */
static gchar **
list_secrets (FalSession *session)
{
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  FalKeyOrigin origin;
  const gchar *api_key = fal_session_get_api_key (session, settings, &origin);

  if (settings->token)
    g_strv_builder_add (builder, settings->token);
  if (api_key)
    g_strv_builder_add (builder, api_key);
  g_mutex_lock (&session->lock);
  if (session->last_token)
    g_strv_builder_add (builder, session->last_token);
  g_mutex_unlock (&session->lock);
  return g_strv_builder_end (builder);
}

gchar *
fal_session_redact (FalSession *session, const gchar *text)
{
  g_auto (GStrv) secrets = list_secrets (session);

  return fal_redact (text, (const gchar *const *) secrets);
}

static gboolean
redact_field (GQuark name, GValue *value, gpointer secrets)
{
  if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value))
    g_value_take_string (value, fal_redact (g_value_get_string (value), secrets));
  return TRUE;
}

void
fal_session_tell (FalSession *session, gboolean fatal, const GError *error, GstStructure *details)
{
  g_auto (GStrv) secrets = list_secrets (session);
  g_autofree gchar *text = fal_redact (error->message, (const gchar *const *) secrets);
  g_autoptr (GError) clean = g_error_new_literal (error->domain, error->code, text);

  if (details == NULL)
    details = gst_structure_new_empty ("details");
  gst_structure_map_in_place (details, redact_field, secrets);
  if (session->address)
    gst_structure_set (details, "endpoint", G_TYPE_STRING, session->address, NULL);
  session->callbacks.trouble (session->user, fatal, clean, details);
}

void
fal_session_warn (FalSession *session, const GError *error, GstStructure *details)
{
  gint64 now = g_get_monotonic_time ();
  gboolean due;

  g_mutex_lock (&session->lock);
  due = now - session->last_warning >= WARNING_INTERVAL;
  if (due)
    session->last_warning = now;
  g_mutex_unlock (&session->lock);
  if (due)
    fal_session_tell (session, FALSE, error, details);
  else if (details)
    gst_structure_free (details);
}

void
fal_session_note (FalSession *session, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  session->callbacks.note (session->user, text);
}

void
fal_session_tell_drop (FalSession *session, const FalFrame *frame)
{
  FalSessionCounts counts;

  fal_session_get_counts (session, &counts);
  g_mutex_lock (&session->lock);
  counts.dropped = ++session->stats.told;
  g_mutex_unlock (&session->lock);
  session->callbacks.dropped (session->user, frame, &counts);
}

/* The picture of a dropped frame is let go before anything else is done with it. */
static FalFrame *
pop_drop (FalSession *session)
{
  FalFrame *frame;

  g_mutex_lock (&session->lock);
  frame = fal_pacer_pop_dropped (session->pacer);
  if (frame == NULL)
    frame = g_queue_pop_head (&session->overtaken);
  if (frame != NULL)
    g_clear_pointer (&frame->sample, gst_sample_unref);
  g_mutex_unlock (&session->lock);
  return frame;
}

void
fal_session_tell_drops (FalSession *session)
{
  FalFrame *frame;

  while ((frame = pop_drop (session))) {
    fal_session_tell_drop (session, frame);
    fal_frame_unref (frame);
  }
}
