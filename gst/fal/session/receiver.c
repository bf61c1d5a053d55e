/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The receiver: from a message to whom it concerns, and what follows from it. */
#include "receiver.h"
#include "fal/net/downloader.h"
#include "fal/policy/request-id.h"

/* As the shared state takes them. */
#define MAX_PICTURES FAL_SHARED_STATE_MAX_PICTURES
/* A doubtful reply is kept for so long, µs: the echo that gives it away comes meanwhile, or the app
 * has ids of its own. That is found out once; after it no reply is kept. */
#define DOUBT_LASTS (300 * G_TIME_SPAN_MILLISECOND)

/* What is kept of one of the session's connections. */
typedef struct {
  FalReceiver *receiver;
  guint number;
  GQueue doubtful;       /* Doubtful, oldest first */
  FalTimer *doubt_timer; /* their time is over; NULL until there was one */
} Lane;

struct _FalReceiver {
  FalSharedState *state;
  FalUplink *uplink;
  FalReporter *reporter;
  const FalSessionOwner *owner;
  FalSettings *settings; /* NULL until they are known */

  FalDownloader *downloader; /* NULL until a result is only a link */
  FalNames *names;           /* that this peer may bring in, in all connections together */
  GQueue downloads;          /* Download; what the downloader was given, freed when it answers */
  Lane lanes[FAL_MAX_CONNECTIONS];
};

/* A reply whose id is not ours, from an app that was not seen to echo. */
typedef struct {
  FalReply *reply;
  FalReception reception;
} Doubtful;

static void
doubtful_free (gpointer data)
{
  Doubtful *doubtful = data;

  g_clear_pointer (&doubtful->reply, fal_reply_free);
  g_free (doubtful);
}

FalReceiver *
fal_receiver_new (
    FalSharedState *state, FalUplink *uplink, FalReporter *reporter, const FalSessionOwner *owner)
{
  FalReceiver *receiver = g_new0 (FalReceiver, 1);

  receiver->state = state;
  receiver->uplink = uplink;
  receiver->reporter = reporter;
  receiver->owner = owner;
  receiver->names = fal_names_new (FAL_NAMES_BUDGET);
  g_queue_init (&receiver->downloads);
  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++)
    receiver->lanes[i] = (Lane) { receiver, i, G_QUEUE_INIT, NULL };
  return receiver;
}

void
fal_receiver_free (FalReceiver *receiver)
{
  fal_names_free (receiver->names);
  g_free (receiver);
}

void
fal_receiver_leave (FalReceiver *receiver)
{
  g_queue_clear_full (&receiver->downloads, g_free);
  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++) {
    g_queue_clear_full (&receiver->lanes[i].doubtful, doubtful_free);
    g_clear_pointer (&receiver->lanes[i].doubt_timer, fal_timer_free);
  }
  g_clear_pointer (&receiver->downloader, fal_downloader_free);
  g_clear_pointer (&receiver->settings, fal_settings_unref);
}

void
fal_receiver_configure (FalReceiver *receiver, FalSettings *settings)
{
  g_clear_pointer (&receiver->settings, fal_settings_unref);
  receiver->settings = fal_settings_ref (settings);
  fal_names_know (fal_settings_get_result_field (settings));
  fal_names_know (fal_settings_get_feedback_fields (settings));
  if (receiver->downloader)
    fal_downloader_configure (receiver->downloader, settings);
}

static void
tell_drops (FalReceiver *receiver)
{
  fal_reporter_tell_drops (receiver->reporter, fal_shared_state_take_drops (receiver->state));
}

static GstClockTime
get_running_time (FalReceiver *receiver)
{
  return receiver->owner->events.get_running_time (receiver->owner->user);
}

/* ---- pictures that are only a link ---- */

typedef struct {
  FalReceiver *receiver;
  guint64 number;
} Download;

static void
on_downloaded (gpointer user, GBytes *picture, const GError *error)
{
  Download *download = user;
  FalReceiver *receiver = download->receiver;
  gboolean awaited = fal_shared_state_take_picture (
      receiver->state, download->number, picture, get_running_time (receiver));

  if (error != NULL && awaited)
    fal_reporter_warn_of (receiver->reporter, "A result is dropped", error, NULL);
  g_queue_remove (&receiver->downloads, download);
  g_free (download);
}

/* @first: number of the download of the first link; there is one. */
static void
download_links (FalReceiver *receiver, const FalReply *reply, guint64 first)
{
  if (receiver->downloader == NULL) {
    receiver->downloader = fal_downloader_new ();
    fal_downloader_configure (receiver->downloader, receiver->settings);
  }
  for (guint i = 0; i < MIN (reply->images->len, MAX_PICTURES); i++) {
    const FalImage *image = reply->images->pdata[i];
    Download *download;

    if (image->link == NULL)
      continue;
    download = g_new (Download, 1);
    *download = (Download){ receiver, first++ };
    g_queue_push_tail (&receiver->downloads, download);
    fal_downloader_start (receiver->downloader, image->link, on_downloaded, download);
  }
}

/* ---- results ---- */

static void
warn_without_picture (FalReceiver *receiver)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "A result came without a picture. Set result-field to the place of the picture, if it has "
      "another name.");

  fal_reporter_warn (receiver->reporter, error, NULL);
}

/* The state is told before the first result goes out. */
static void
announce_result (FalReceiver *receiver, guint lane, gboolean first)
{
  if (first)
    fal_reporter_note (receiver->reporter, "the first result of this connection is here");
  fal_uplink_note_result (receiver->uplink, lane);
  if (first)
    fal_shared_state_release_results (receiver->state);
}

/* What is kept is nobody's, but for what came by the connection of @generation; 0: all of it. */
static void
forget_doubtful (Lane *lane, guint generation)
{
  Doubtful *doubtful;

  while ((doubtful = g_queue_peek_head (&lane->doubtful)) &&
         doubtful->reception.generation != generation) {
    g_queue_pop_head (&lane->doubtful);
    fal_shared_state_note_foreign (lane->receiver->state, doubtful->reply);
    doubtful_free (doubtful);
  }
}

/* The app echoes, which holds for all of its connections. */
static void
forget_all_doubtful (FalReceiver *receiver)
{
  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++)
    forget_doubtful (&receiver->lanes[i], 0);
}

static void
take_answer (FalReceiver *receiver, guint lane, FalReply *reply, const FalAnswer *answer)
{
  tell_drops (receiver);
  if (answer->echoed)
    forget_all_doubtful (receiver);
  else if (answer->over)
    fal_uplink_note_answered (receiver->uplink, lane);
  if (!answer->known)
    return;
  announce_result (receiver, lane, answer->first);
  if (answer->first_download != 0)
    download_links (receiver, reply, answer->first_download);
  if (reply->images->len == 0)
    warn_without_picture (receiver);
}

/* No echo came: those that are kept are answers. */
static void
on_doubt_over (gpointer data)
{
  Lane *lane = data;
  Doubtful *doubtful;
  FalAnswer answer;

  while ((doubtful = g_queue_pop_head (&lane->doubtful))) {
    fal_shared_state_answer (lane->receiver->state, doubtful->reply, &doubtful->reception, &answer);
    take_answer (lane->receiver, lane->number, doubtful->reply, &answer);
    doubtful_free (doubtful);
  }
}

/* Of an app with ids of its own there are no more than there are requests out. @reply is taken. */
static void
keep_doubtful (Lane *lane, FalReply *reply, const FalAnswer *answer)
{
  Doubtful *doubtful = g_new (Doubtful, 1);

  *doubtful = (Doubtful){ reply, answer->reception };
  forget_doubtful (lane, answer->reception.generation);
  if (lane->doubtful.length >= answer->in_flight) {
    fal_shared_state_note_foreign (lane->receiver->state, reply);
    doubtful_free (doubtful);
    return;
  }
  if (lane->doubt_timer == NULL)
    lane->doubt_timer = fal_uplink_new_timer (lane->receiver->uplink, on_doubt_over, lane);
  if (lane->doubtful.length == 0)
    fal_timer_set (lane->doubt_timer, g_get_monotonic_time () + DOUBT_LASTS);
  g_queue_push_tail (&lane->doubtful, doubtful);
}

/* @taken is taken. */
static void
on_result (FalReceiver *receiver, guint lane, FalReply *taken)
{
  const FalReception reception = { .lane = lane, .running = get_running_time (receiver) };
  g_autoptr (FalReply) reply = taken;
  FalAnswer answer;

  fal_shared_state_answer (receiver->state, reply, &reception, &answer);
  if (answer.doubtful)
    keep_doubtful (&receiver->lanes[lane], g_steal_pointer (&reply), &answer);
  else
    take_answer (receiver, lane, reply, &answer);
}

/* ---- errors ---- */

static GstStructure *
describe_error (const FalReply *reply)
{
  GstStructure *details = gst_structure_new ("details", "error", G_TYPE_STRING, reply->error, NULL);

  if (reply->request_id)
    gst_structure_set (details, "request-id", G_TYPE_STRING, reply->request_id, NULL);
  return details;
}

/* One that nobody can read, or an error in place of a result. FALSE: it does not count. */
static gboolean
on_failed_reply (FalReceiver *receiver, guint lane, const FalReply *reply, const GError *error)
{
  gboolean unreadable = reply->type == FAL_REPLY_UNREADABLE, over;

  if (!fal_shared_state_counts_replies (receiver->state, lane))
    return FALSE;
  /* First: the stream may end with it, and after the end nobody may listen. */
  if (unreadable)
    fal_reporter_warn_of (
        receiver->reporter, "A message of the server cannot be read", error, NULL);
  else
    fal_reporter_warn (receiver->reporter, error, describe_error (reply));
  if (!fal_shared_state_note_failed_reply (
          receiver->state, lane, reply->request_id, unreadable, &over))
    return FALSE;
  tell_drops (receiver);
  if (over)
    fal_uplink_note_answered (receiver->uplink, lane);
  return TRUE;
}

/* fal's framework ends the session with an error of this kind: what was queued there is lost. */
static gboolean
ends_connection (const FalReply *reply)
{
  const gchar *type = reply->fields ? gst_structure_get_string (reply->fields, "type") : NULL;

  return g_strcmp0 (type, "x-fal-error") == 0;
}

/* The server reports an error. Where the connection ends with it, only the request that it was
 * about has failed; the others are lost. */
static void
on_server_error (FalReceiver *receiver, guint lane, const FalReply *reply)
{
  g_autofree gchar *what =
      g_strdup_printf ("the server reported %s%s%s", reply->error ? reply->error : "an error",
          reply->reason && *reply->reason ? ": " : "", reply->reason ? reply->reason : "");
  g_autofree gchar *address = fal_reporter_dup_endpoint (receiver->reporter);
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED,
      "%s: %s. Check the inputs that the app wants.", address ? address : "", what);

  if (fal_shared_state_drop_ids (receiver->state, lane, reply))
    return;
  if (!ends_connection (reply)) {
    if (on_failed_reply (receiver, lane, reply, error))
      fal_uplink_note_error (receiver->uplink, lane, what, reply->error);
    return;
  }
  if (!fal_shared_state_fail_oldest (receiver->state, lane))
    return;
  tell_drops (receiver);
  fal_uplink_fail (receiver->uplink, lane, FAL_FAULT_SERVER, what, reply->error);
}

/* ---- replies ---- */

/* Apps of frames say {"status":"ready"}; {"type":"ready"} is said by those of WebRTC, too. */
static gboolean
is_greeting (const FalReply *reply)
{
  return reply->fields &&
         g_strcmp0 (gst_structure_get_string (reply->fields, "type"), "ready") == 0;
}

static void
dispatch_reply (FalReceiver *receiver, guint lane, FalReply *reply)
{
  FalUplink *uplink = receiver->uplink;

  switch (reply->type) {
  case FAL_REPLY_RESULT:
  case FAL_REPLY_UNREADABLE:
    break;
  case FAL_REPLY_TIMINGS:
    if (reply->inference >= 0)
      fal_shared_state_note_inference (receiver->state, reply->inference);
    break;
  case FAL_REPLY_IDLE:
    fal_uplink_note_idle (uplink, lane);
    break;
  case FAL_REPLY_FAILED:
    on_server_error (receiver, lane, reply);
    break;
  case FAL_REPLY_UNAUTHORIZED:
    fal_uplink_fail (uplink, lane, FAL_FAULT_UNAUTHORIZED, "the server refused the token", NULL);
    break;
  case FAL_REPLY_WEBRTC:
    fal_uplink_fail (uplink, lane, FAL_FAULT_WEBRTC, "the app asks for WebRTC", NULL);
    break;
  case FAL_REPLY_READY:
    fal_uplink_note_ready (uplink, lane);
    if (is_greeting (reply))
      fal_uplink_note_greeting (uplink, lane);
    break;
  case FAL_REPLY_OTHER:
    fal_shared_state_note_ignored (receiver->state);
    break;
  }
}

void
fal_receiver_take_reply (FalReceiver *receiver, guint lane, FalReply *taken, const GError *error)
{
  g_autoptr (FalReply) reply = taken;

  if (reply->type == FAL_REPLY_RESULT)
    on_result (receiver, lane, g_steal_pointer (&reply));
  else if (reply->type == FAL_REPLY_UNREADABLE)
    on_failed_reply (receiver, lane, reply, error);
  else
    dispatch_reply (receiver, lane, reply);
}

/* ---- messages ---- */

/* @error is set where the reply is one that nobody can read. */
static FalReply *
parse_message (FalReceiver *receiver, GBytes *message, gboolean text, GError **error)
{
  const gchar *result_field = fal_settings_get_result_field (receiver->settings);
  const FalSessionOwner *owner = receiver->owner;
  GstStructure *map = owner->events.decode (owner->user, message, text);
  FalReply *reply =
      map ? fal_protocol_read_reply (map, result_field, error)
          : fal_protocol_parse_reply (message, text, result_field, receiver->names, error);

  return reply ? reply : fal_protocol_make_unreadable (message);
}

/* The member that the reply is about; NULL: one that has left. */
static FalUplink *
find_member (FalReceiver *receiver, guint lane, const FalReply *reply)
{
  FalUplink *uplink = receiver->uplink;

  if (reply->type == FAL_REPLY_RESULT || reply->type == FAL_REPLY_FAILED ||
      reply->type == FAL_REPLY_UNREADABLE)
    return fal_uplink_find_answered (uplink, lane, fal_request_id_take_member (reply->request_id));
  if (reply->type == FAL_REPLY_TIMINGS)
    return fal_uplink_get_last_answered (uplink, lane);
  return uplink;
}

void
fal_receiver_read_message (FalReceiver *receiver, guint lane, GBytes *message, gboolean text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FalReply) reply = NULL;
  FalUplink *member;

  fal_uplink_note_message (receiver->uplink, lane);
  reply = parse_message (receiver, message, text, &error);
  reply->size = g_bytes_get_size (message);
  member = find_member (receiver, lane, reply);
  if (member != NULL)
    fal_uplink_deliver (member, lane, g_steal_pointer (&reply), error);
  else if (reply->type == FAL_REPLY_FAILED && ends_connection (reply))
    fal_uplink_fail (
        receiver->uplink, lane, FAL_FAULT_SERVER, "the server reported an error", NULL);
}
