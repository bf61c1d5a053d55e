/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The receiver: from a message to whom it concerns, and what follows from it. */
#include "receiver.h"
#include "fal/net/downloader.h"
#include "fal/policy/request-id.h"

/* As the shared state takes them. */
#define MAX_PICTURES FAL_SHARED_STATE_MAX_PICTURES

struct _FalReceiver {
  FalSharedState *state;
  FalUplink *uplink;
  FalReporter *reporter;
  const FalSessionOwner *owner;
  FalSettings *settings; /* NULL until they are known */

  FalDownloader *downloader; /* NULL until a result is only a link */
  GQueue downloads;          /* Download; what the downloader was given, freed when it answers */
};

FalReceiver *
fal_receiver_new (
    FalSharedState *state, FalUplink *uplink, FalReporter *reporter, const FalSessionOwner *owner)
{
  FalReceiver *receiver = g_new0 (FalReceiver, 1);

  receiver->state = state;
  receiver->uplink = uplink;
  receiver->reporter = reporter;
  receiver->owner = owner;
  g_queue_init (&receiver->downloads);
  return receiver;
}

void
fal_receiver_free (FalReceiver *receiver)
{
  g_free (receiver);
}

void
fal_receiver_leave (FalReceiver *receiver)
{
  g_queue_clear_full (&receiver->downloads, g_free);
  g_clear_pointer (&receiver->downloader, fal_downloader_free);
  g_clear_pointer (&receiver->settings, fal_settings_unref);
}

void
fal_receiver_configure (FalReceiver *receiver, FalSettings *settings)
{
  g_clear_pointer (&receiver->settings, fal_settings_unref);
  receiver->settings = fal_settings_ref (settings);
  if (receiver->downloader)
    fal_downloader_configure (receiver->downloader, settings);
}

static void
tell_drops (FalReceiver *receiver)
{
  fal_reporter_tell_drops (receiver->reporter, fal_shared_state_take_drops (receiver->state));
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
  gboolean awaited = fal_shared_state_take_picture (receiver->state, download->number, picture);

  if (error != NULL && awaited)
    fal_reporter_warn (receiver->reporter, error, NULL);
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
      "a result without a picture; set result-field where the picture has another name");

  fal_reporter_warn (receiver->reporter, error, NULL);
}

/* The state is told before the first result goes out. */
static void
announce_result (FalReceiver *receiver, gboolean first)
{
  if (first)
    fal_reporter_note (receiver->reporter, "the first result of this connection is here");
  fal_uplink_note_result (receiver->uplink);
  if (first)
    fal_shared_state_release_results (receiver->state);
}

static void
on_result (FalReceiver *receiver, FalReply *reply)
{
  FalAnswer answer;

  fal_shared_state_answer (receiver->state, reply, &answer);
  tell_drops (receiver);
  if (!answer.known)
    return;
  announce_result (receiver, answer.first);
  if (answer.first_download != 0)
    download_links (receiver, reply, answer.first_download);
  if (reply->images->len == 0)
    warn_without_picture (receiver);
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

/* @reply NULL: one that nobody can read; else an error in place of a result. */
static void
on_failed_reply (FalReceiver *receiver, const FalReply *reply, const GError *error)
{
  if (!fal_shared_state_note_failed_reply (receiver->state, reply == NULL))
    return;
  tell_drops (receiver);
  fal_reporter_warn (receiver->reporter, error, reply ? describe_error (reply) : NULL);
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
on_server_error (FalReceiver *receiver, const FalReply *reply)
{
  g_autofree gchar *what =
      g_strdup_printf ("the server reported %s%s%s", reply->error ? reply->error : "an error",
          reply->reason && *reply->reason ? ": " : "", reply->reason ? reply->reason : "");
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, what);

  if (fal_shared_state_drop_ids (receiver->state, reply))
    return;
  if (!ends_connection (reply)) {
    on_failed_reply (receiver, reply, error);
    return;
  }
  if (!fal_shared_state_fail_oldest (receiver->state))
    return;
  tell_drops (receiver);
  fal_uplink_fail (receiver->uplink, FAL_FAULT_SERVER, what, reply->error);
}

/* ---- replies ---- */

static void
dispatch_reply (FalReceiver *receiver, FalReply *reply)
{
  FalUplink *uplink = receiver->uplink;

  switch (reply->type) {
  case FAL_REPLY_RESULT:
    on_result (receiver, reply);
    break;
  case FAL_REPLY_TIMINGS:
    if (reply->inference >= 0)
      fal_shared_state_note_inference (receiver->state, reply->inference);
    break;
  case FAL_REPLY_IDLE:
    fal_uplink_note_idle (uplink);
    break;
  case FAL_REPLY_FAILED:
    on_server_error (receiver, reply);
    break;
  case FAL_REPLY_UNAUTHORIZED:
    fal_uplink_fail (uplink, FAL_FAULT_UNAUTHORIZED, "the server refused the token", NULL);
    break;
  case FAL_REPLY_WEBRTC:
    fal_uplink_fail (uplink, FAL_FAULT_WEBRTC, "the app asks for WebRTC", NULL);
    break;
  case FAL_REPLY_READY:
    fal_uplink_note_ready (uplink);
    break;
  case FAL_REPLY_OTHER:
    break;
  }
}

void
fal_receiver_take_reply (FalReceiver *receiver, FalReply *reply, const GError *error)
{
  if (reply != NULL)
    dispatch_reply (receiver, reply);
  else
    on_failed_reply (receiver, NULL, error);
}

/* ---- messages ---- */

static FalReply *
parse_message (FalReceiver *receiver, GBytes *message, gboolean text, GError **error)
{
  const gchar *result_field = fal_settings_get_result_field (receiver->settings);
  const FalSessionOwner *owner = receiver->owner;
  GstStructure *map = owner->events.decode (owner->user, message, text);

  if (map != NULL)
    return fal_protocol_read_reply (map, result_field, error);
  return fal_protocol_parse_reply (message, text, result_field, error);
}

/* The member that the reply is about; NULL: one that has left. */
static FalUplink *
find_member (FalReceiver *receiver, const FalReply *reply)
{
  FalUplink *uplink = receiver->uplink;

  if (reply == NULL)
    return fal_uplink_take_answered (uplink, -1);
  if (reply->type == FAL_REPLY_RESULT || reply->type == FAL_REPLY_FAILED)
    return fal_uplink_take_answered (uplink, fal_request_id_take_member (reply->request_id));
  if (reply->type == FAL_REPLY_TIMINGS)
    return fal_uplink_get_last_answered (uplink);
  return uplink;
}

void
fal_receiver_read_message (FalReceiver *receiver, GBytes *message, gboolean text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FalReply) reply = NULL;
  FalUplink *member;

  fal_uplink_note_message (receiver->uplink);
  reply = parse_message (receiver, message, text, &error);
  member = find_member (receiver, reply);
  if (member != NULL)
    fal_uplink_deliver (member, reply, error);
  else if (reply != NULL && reply->type == FAL_REPLY_FAILED && ends_connection (reply))
    fal_uplink_fail (receiver->uplink, FAL_FAULT_SERVER, "the server reported an error", NULL);
}
