/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session: makes its rooms, starts and stops their threads, and wires what one tells to whom it
 * concerns. All else goes on to the room that it belongs to. */
#include "session.h"
#include "fal/net/credentials.h"
#include "fal/net/preflight.h"
#include "input.h"
#include "output.h"
#include "receiver.h"
#include "sender.h"
#include "uplink.h"

struct _FalSession {
  FalSessionOwner owner;
  FalSharedState *state;
  FalReporter *reporter;
  FalSender *sender;
  FalUplink *uplink;
  FalReceiver *receiver;
  FalOutputSide *output;
};

/* ---- what the uplink tells ---- */

static void
on_message (gpointer user, guint lane, GBytes *message, gboolean text)
{
  FalSession *session = user;

  fal_receiver_read_message (session->receiver, lane, message, text);
}

static void
on_reply (gpointer user, guint lane, FalReply *reply, const GError *error)
{
  FalSession *session = user;

  fal_receiver_take_reply (session->receiver, lane, reply, error);
}

static void
on_configured (gpointer user, FalSettings *settings)
{
  FalSession *session = user;

  fal_receiver_configure (session->receiver, settings);
}

static void
on_left (gpointer user)
{
  FalSession *session = user;

  fal_receiver_leave (session->receiver);
}

/* ---- life ---- */

FalSession *
fal_session_new (const FalSessionEvents *events, gpointer user, FalSettings *settings)
{
  const FalUplinkEvents uplink_events = {
    .message = on_message,
    .reply = on_reply,
    .configured = on_configured,
    .left = on_left,
  };
  FalSession *session = g_new0 (FalSession, 1);
  const FalSessionOwner *owner = &session->owner;

  session->owner = (FalSessionOwner){ *events, user };
  session->state = fal_shared_state_new (settings);
  session->reporter = fal_reporter_new (owner);
  session->sender = fal_sender_new (session->state, session->reporter, owner);
  session->uplink =
      fal_uplink_new (session->state, session->reporter, owner, &uplink_events, session);
  session->receiver = fal_receiver_new (session->state, session->uplink, session->reporter, owner);
  session->output = fal_output_side_new (session->state, session->reporter, owner);
  return session;
}

void
fal_session_free (FalSession *session)
{
  fal_session_stop (session);
  fal_output_side_free (session->output);
  fal_receiver_free (session->receiver);
  fal_uplink_free (session->uplink);
  fal_sender_free (session->sender);
  fal_reporter_free (session->reporter);
  fal_shared_state_free (session->state);
  g_free (session);
}

/* It is tried all the same, since the app may be public. */
static void
advise_key (FalSession *session, const FalEndpoint *endpoint)
{
  g_autofree gchar *address = fal_endpoint_describe (endpoint);
  g_autoptr (GError) advice = g_error_new (G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
      "%s: no API key and no token is set, so only a public app will answer. " FAL_KEY_HINT,
      address);

  fal_reporter_advise (session->reporter, advice);
}

/* The endpoint of settings that can work; NULL: they cannot. @file_key: the API key as api-key-file
 * has it, NULL where there is no such file. */
static FalEndpoint *
check_settings (FalSession *session, const FalSettings *settings, gchar **file_key, GError **error)
{
  const FalSessionOwner *owner = &session->owner;
  gboolean has_provider = owner->events.has_provider (owner->user);
  g_autoptr (GError) fault = NULL;
  FalBackground background;
  FalKeyOrigin origin;
  g_autofree gchar *api_key = fal_preflight_dup_api_key (settings, &origin, &fault);
  FalEndpoint *endpoint;

  if (!fault)
    fal_settings_get_background (settings, &background, &fault);
  if (fault) {
    g_propagate_error (error, g_steal_pointer (&fault));
    return NULL;
  }
  endpoint = fal_preflight_check (settings, api_key, has_provider, error);
  if (endpoint && fal_preflight_wants_key (settings, endpoint, api_key, has_provider))
    advise_key (session, endpoint);
  if (origin == FAL_KEY_FROM_FILE)
    *file_key = g_steal_pointer (&api_key);
  return endpoint;
}

/* Whether the region can be read. */
static gboolean
check_region (const FalSettings *settings, GError **error)
{
  g_autoptr (FalRegion) region = fal_region_new (settings->region, settings->region_margin);

  if (region == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "region=\"%s\" is no region of a frame. " FAL_REGION_FORM
        "; leave it empty for the whole frame.",
        settings->region);
  return region != NULL;
}

/* What messages name, and must not hold. */
static void
prepare_reporter (FalSession *session, const FalSettings *settings, const FalEndpoint *endpoint,
    const gchar *file_key)
{
  g_autofree gchar *address = fal_endpoint_describe (endpoint);

  fal_reporter_set_endpoint (session->reporter, address);
  fal_reporter_set_settings (session->reporter, settings);
  fal_reporter_set_file_key (session->reporter, file_key);
}

/* The connection ended, or never came: what was known of it goes. */
static void
forget_connection (FalSession *session)
{
  fal_reporter_set_endpoint (session->reporter, NULL);
  fal_reporter_forget_last_tokens (session->reporter);
  fal_reporter_set_file_key (session->reporter, NULL);
  fal_reporter_forget_drops (session->reporter);
}

static void
undo_start (FalSession *session)
{
  fal_shared_state_stop (session->state);
  fal_shared_state_give_up (session->state);
  fal_receiver_leave (session->receiver);
  forget_connection (session);
}

/* The connection and what came of it, once the state has stopped and nothing is sent any more. */
static void
end_connection (FalSession *session)
{
  fal_uplink_disconnect (session->uplink);
  forget_connection (session);
  if (fal_shared_state_give_up (session->state))
    fal_reporter_tell_state (session->reporter, FAL_DIALER_IDLE);
}

static gboolean
start_sender (FalSession *session, FalSettings *settings, GError **error)
{
  guint member = fal_uplink_get_member (session->uplink);

  if (fal_sender_start (session->sender, settings, member, error))
    return TRUE;
  fal_shared_state_stop (session->state);
  end_connection (session);
  return FALSE;
}

/* What the system says is not yet what a user can do. */
static void
explain (GError **error, GError *fault)
{
  if (fault->domain == G_THREAD_ERROR)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "The element could not start its threads: %s. " FAL_THREADS_HINT, fault->message);
  else if (g_error_matches (fault, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "The element could not start: %s. Let the process have more (ulimit -n), or close some.",
        fault->message);
  else
    g_propagate_error (error, g_error_copy (fault));
}

gboolean
fal_session_start (FalSession *session, GError **error)
{
  g_autoptr (FalSettings) settings = fal_shared_state_dup_settings (session->state);
  g_autofree gchar *file_key = NULL;
  g_autoptr (GError) fault = NULL;
  FalEndpoint *endpoint = check_settings (session, settings, &file_key, error);

  if (endpoint == NULL)
    return FALSE;
  if (!check_region (settings, error)) {
    fal_endpoint_free (endpoint);
    return FALSE;
  }
  prepare_reporter (session, settings, endpoint, file_key);
  fal_output_side_reset (session->output);
  fal_shared_state_start (session->state);
  /* Before the first message may come, which it does at once on a connection that stands. */
  fal_receiver_configure (session->receiver, settings);
  if (!fal_uplink_connect (session->uplink, settings, endpoint, file_key, &fault))
    undo_start (session);
  else if (start_sender (session, settings, &fault))
    return TRUE;
  explain (error, fault);
  return FALSE;
}

void
fal_session_stop (FalSession *session)
{
  if (!fal_uplink_is_connected (session->uplink))
    return;
  fal_shared_state_stop (session->state);
  fal_sender_stop (session->sender);
  end_connection (session);
}

/* One that is no colour, and was set while frames come. */
static void
check_background (FalSession *session, const FalSettings *old, const FalSettings *settings)
{
  g_autoptr (GError) fault = NULL;
  FalBackground background;

  if (g_strcmp0 (old->background, settings->background) != 0 &&
      fal_shared_state_runs (session->state) &&
      !fal_settings_get_background (settings, &background, &fault)) {
    g_prefix_error (&fault, "The background is black: ");
    fal_reporter_tell (session->reporter, FALSE, fault, NULL);
  }
}

/* One that cannot be read, and was set while frames come, changes nothing. */
static void
warn_of_region (FalSession *session, const FalSettings *settings)
{
  g_autoptr (GError) error = NULL;

  if (check_region (settings, &error))
    return;
  g_prefix_error (&error, "The region stays as it was: ");
  fal_reporter_tell (session->reporter, FALSE, error, NULL);
}

gboolean
fal_session_update (FalSession *session, FalSettings *settings)
{
  g_autoptr (FalSettings) old = fal_shared_state_dup_settings (session->state);
  gboolean latency_changed;
  FalConcerns concerns;

  check_background (session, old, settings);
  fal_reporter_set_settings (session->reporter, settings);
  concerns = fal_shared_state_update (session->state, settings, &latency_changed);
  if ((concerns & FAL_CONCERN_REGION) && fal_shared_state_runs (session->state))
    warn_of_region (session, settings);
  return latency_changed;
}

void
fal_session_check_budget (FalSession *session)
{
  g_autoptr (FalSettings) settings = fal_shared_state_dup_settings (session->state);
  g_autoptr (GError) error = NULL;

  if (!fal_settings_check_budget (settings, &error) &&
      fal_shared_state_lacks_price (session->state))
    fal_reporter_tell (session->reporter, FALSE, error, NULL);
}

/* ---- upstream ---- */

void
fal_session_set_upstream (FalSession *session, gboolean live, GstClockTime latency)
{
  fal_shared_state_set_upstream (session->state, live, latency);
}

void
fal_session_set_pipeline_latency (FalSession *session, GstClockTime latency)
{
  fal_shared_state_set_pipeline_latency (session->state, latency);
}

GstFlowReturn
fal_session_push (FalSession *session, GstSample *frame)
{
  GstClockTime running = session->owner.events.get_running_time (session->owner.user);

  return fal_input_push (session->state, session->reporter, frame, running);
}

gboolean
fal_session_push_event (FalSession *session, GstEvent *event)
{
  return fal_shared_state_push_event (session->state, event);
}

void
fal_session_set_flushing (FalSession *session, gboolean flushing)
{
  if (!flushing)
    fal_output_side_flush (session->output);
  fal_shared_state_set_flushing (session->state, flushing);
}

gboolean
fal_session_passes_frames (FalSession *session)
{
  return fal_shared_state_passes_frames (session->state);
}

gboolean
fal_session_pass_query (FalSession *session, GstQuery *query)
{
  return fal_shared_state_pass_query (session->state, query);
}

guint
fal_session_get_most_held (FalSession *session)
{
  return fal_shared_state_get_most_held (session->state);
}

gboolean
fal_session_holds_most (FalSession *session)
{
  return fal_shared_state_holds_most (session->state);
}

void
fal_session_let_go (FalSession *session)
{
  fal_shared_state_let_go (session->state);
}

/* ---- downstream ---- */

gboolean
fal_session_is_query (GstEvent *event)
{
  return gst_event_has_name (event, FAL_SHARED_STATE_QUERY);
}

GstQuery *
fal_session_take_query (FalSession *session)
{
  return fal_shared_state_take_query (session->state);
}

void
fal_session_finish_query (FalSession *session, gboolean result)
{
  fal_shared_state_finish_query (session->state, result);
}

gboolean
fal_session_set_earliest (FalSession *session, GstClockTime earliest)
{
  return fal_shared_state_set_earliest (session->state, earliest);
}

gboolean
fal_session_pull (FalSession *session, GstEvent **event, FalResult **result)
{
  return fal_output_side_pull (session->output, event, result);
}

GstSample *
fal_session_render (FalSession *session, FalResult *result, GstCaps *allowed, GError **error)
{
  return fal_output_side_render (session->output, result, allowed, error);
}

void
fal_session_note_pushed (FalSession *session, FalResultKind kind, gboolean repeated)
{
  fal_shared_state_note_pushed (session->state, kind, repeated);
}

gboolean
fal_session_take_picture (FalSession *session, gboolean ends, FalPicture *picture)
{
  return fal_output_side_take_picture (session->output, ends, picture);
}

void
fal_session_end_pictures (FalSession *session)
{
  fal_output_side_end_pictures (session->output);
}

void
fal_session_note_tick (FalSession *session)
{
  fal_shared_state_note_tick (session->state);
}

gboolean
fal_session_stop_flow (FalSession *session, GstFlowReturn flow, gboolean reported)
{
  return fal_shared_state_stop_flow (session->state, flow, reported);
}

gboolean
fal_session_flows (FalSession *session)
{
  return fal_shared_state_flows (session->state);
}

gboolean
fal_session_resume_flow (FalSession *session)
{
  return fal_shared_state_relink (session->state);
}

/* ---- applications ---- */

gboolean
fal_session_send_now (FalSession *session, const GstStructure *inputs)
{
  gboolean sends = fal_shared_state_send_now (session->state, inputs);

  fal_reporter_tell_drops (session->reporter, fal_shared_state_take_drops (session->state));
  return sends;
}

void
fal_session_clear (FalSession *session)
{
  fal_shared_state_clear (session->state);
}

void
fal_session_close (FalSession *session, gboolean again)
{
  fal_shared_state_close (session->state, again);
}

void
fal_session_reset_stats (FalSession *session)
{
  fal_shared_state_reset_stats (session->state);
  fal_reporter_forget_drops (session->reporter);
}

gboolean
fal_session_is_live (FalSession *session)
{
  return fal_shared_state_is_live (session->state);
}

GstClockTime
fal_session_get_latency (FalSession *session)
{
  return fal_shared_state_get_latency (session->state);
}

gint
fal_session_get_delay (FalSession *session)
{
  return fal_shared_state_get_delay (session->state);
}

guint
fal_session_get_room (FalSession *session)
{
  return fal_shared_state_get_room (session->state);
}

FalDialerState
fal_session_get_state (FalSession *session)
{
  return fal_shared_state_get_state (session->state);
}

void
fal_session_get_counts (FalSession *session, FalSessionCounts *counts)
{
  fal_shared_state_get_counts (session->state, counts);
}

GstStructure *
fal_session_get_stats (FalSession *session)
{
  return fal_shared_state_get_stats (session->state);
}
