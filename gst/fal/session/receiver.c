/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server's messages mean for the frames in flight: results, their pictures and fields,
 * errors, the words that control a connection. All on the net thread. A message is read by one
 * member of a line for all: @reader; whose request it answers is found out here. */
#include "fal/wire/protocol.h"
#include "session-private.h"
#include "fal/policy/in-flight.h"

/* Between two ids of ours on a shared line, "frame-12" and "frame-12@3", lies the member. */
#define TAG_MARK '@'
/* Pictures taken of one reply; apps send one or two. */
#define MAX_PICTURES 64

static FalConnection *
get_connection (FalSession *session)
{
  return fal_shared_connection_get_connection (session->line);
}

/* ---- the request that was answered last ---- */

void
fal_session_clear_answered (FalSession *session)
{
  g_clear_pointer (&session->answered.frame, fal_frame_unref);
  g_clear_pointer (&session->answered.request_id, g_free);
  session->answered = (FalAnswered){ 0 };
}

/* With the lock held. @base: of its first result. */
static void
set_answered (FalSession *session, const FalResult *base, const gchar *request_id)
{
  fal_session_clear_answered (session);
  session->answered = (FalAnswered){
    .frame = fal_frame_ref (base->frame),
    .serial = base->serial,
    .sent = base->sent,
    .received = base->received,
    .request_id = g_strdup (request_id),
    .open = fal_settings_is_streaming (session->settings),
  };
}

/* With the lock held: whether the reply is one more result for that request. Its id says so;
 * without ids, that no other request is out. */
static gboolean
continues_answered (const FalSession *session, const FalReply *reply)
{
  const FalAnswered *answered = &session->answered;

  if (answered->frame == NULL)
    return FALSE;
  if (reply->request_id || answered->request_id)
    return g_strcmp0 (reply->request_id, answered->request_id) == 0;
  return fal_pacer_get_in_flight (session->pacer) == 0;
}

/* It is answered as far as it will ever be. */
static void
close_answered (gpointer member)
{
  FalSession *session = member;

  g_mutex_lock (&session->lock);
  session->answered.open = FALSE;
  fal_session_call_task (session);
  g_mutex_unlock (&session->lock);
}

/* ---- pictures that are only a link ---- */

typedef struct {
  FalSession *session;
  guint64 number;
} Fetch;

/* With the lock held: the result that waits for this picture, or NULL where it was flushed away. */
static GList *
find_fetched (FalSession *session, guint64 number)
{
  for (GList *l = session->results.head; l != NULL; l = l->next)
    if (((FalResult *) l->data)->fetch == number)
      return l;
  return NULL;
}

static void
on_fetched (gpointer user, GBytes *picture, const GError *error)
{
  Fetch *fetch = user;
  FalSession *session = fetch->session;
  GList *link;

  g_mutex_lock (&session->lock);
  link = find_fetched (session, fetch->number);
  if (link != NULL && picture != NULL) {
    ((FalResult *) link->data)->picture = g_bytes_ref (picture);
  } else if (link != NULL) {
    fal_result_free (link->data);
    g_queue_delete_link (&session->results, link);
    session->stats.invalid++;
  }
  fal_session_note_progress (session);
  g_mutex_unlock (&session->lock);
  if (error != NULL && link != NULL)
    fal_session_warn (session, error, NULL);
  g_queue_remove (&session->fetches, fetch);
  g_free (fetch);
}

static void
configure_fetcher (FalSession *session)
{
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);

  if (session->fetcher == NULL)
    session->fetcher = fal_downloader_new ();
  fal_downloader_configure (session->fetcher, settings);
}

/* @first: number of the fetch of the first link; there is one. */
static void
fetch_links (FalSession *session, const FalReply *reply, guint64 first)
{
  configure_fetcher (session);
  for (guint i = 0; i < MIN (reply->images->len, MAX_PICTURES); i++) {
    const FalImage *image = reply->images->pdata[i];
    Fetch *fetch;

    if (image->link == NULL)
      continue;
    fetch = g_new (Fetch, 1);
    *fetch = (Fetch){ session, first++ };
    g_queue_push_tail (&session->fetches, fetch);
    fal_downloader_start (session->fetcher, image->link, on_fetched, fetch);
  }
}

/* ---- results ---- */

/* With the lock held. */
static FalResult *
make_result (FalSession *session, const FalReply *reply, guint i, const FalResult *base)
{
  const FalImage *image = reply->images->pdata[i];
  FalResult *result = g_new (FalResult, 1);

  *result = *base;
  result->frame = fal_frame_ref (base->frame);
  result->picture = image->bytes ? g_bytes_ref (image->bytes) : NULL;
  result->fetch = image->link ? ++session->next_fetch : 0;
  result->index = base->index + i;
  result->inference = reply->inference;
  result->request_id = g_strdup (reply->request_id);
  result->fields = reply->fields ? gst_structure_copy (reply->fields) : NULL;
  return result;
}

/* With the lock held. */
static void
queue_results (FalSession *session, const FalReply *reply, const FalResult *base)
{
  const gchar *names = fal_settings_get_feedback_fields (session->settings);
  guint n = MIN (reply->images->len, MAX_PICTURES);

  for (guint i = 0; i < n; i++)
    g_queue_push_tail (&session->results, make_result (session, reply, i, base));
  session->stats.results += n;
  session->stats.invalid += reply->images->len - n;
  session->answered.results += n;
  if (names != NULL && reply->fields != NULL) {
    g_clear_pointer (&session->feedback, gst_structure_free);
    session->feedback = fal_request_builder_pick (reply->fields, names);
  }
}

/* With the lock held: one more result for the request that was answered last. */
static void
take_further_result (FalSession *session, const FalReply *reply, gint64 now)
{
  const FalAnswered *answered = &session->answered;
  FalResult base = {
    .frame = answered->frame,
    .serial = answered->serial,
    .sent = answered->sent,
    .received = now,
    .since_first = now - answered->received,
    .index = answered->results,
  };

  queue_results (session, reply, &base);
}

/* With the lock held. FALSE: the reply answers nothing. */
static gboolean
take_result (FalSession *session, const FalReply *reply, gint64 now)
{
  FalResult base = { .received = now, .count = MIN (reply->images->len, MAX_PICTURES) };
  gboolean known;

  base.frame =
      fal_pacer_answer (session->pacer, reply->request_id, now, &base.sent, &base.serial, &known);
  if (!known && continues_answered (session, reply)) {
    take_further_result (session, reply, now);
    return TRUE;
  }
  if (!known)
    return FALSE;
  fal_percentiles_add (&session->stats.round_trip, now - base.sent);
  if (reply->inference >= 0)
    session->stats.inference_last = reply->inference;
  if (base.frame != NULL) {
    if (fal_settings_is_streaming (session->settings))
      base.count = 0;
    set_answered (session, &base, reply->request_id);
    queue_results (session, reply, &base);
    fal_frame_unref (base.frame);
  }
  return TRUE;
}

static void
warn_without_picture (FalSession *session)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "a result without a picture; set result-field where the picture has another name");

  fal_session_warn (session, error, NULL);
}

/* The state is told before the first result goes out. */
static void
announce (FalSession *session, gboolean first)
{
  if (first)
    fal_session_note (session, "the first result of this connection is here");
  fal_connection_note_result (get_connection (session));
  g_mutex_lock (&session->lock);
  fal_session_note_progress (session);
  g_mutex_unlock (&session->lock);
}

static void
on_result (FalSession *session, const FalReply *reply)
{
  guint64 first_fetch;
  gboolean known, queued, first, empty = reply->images->len == 0;

  g_mutex_lock (&session->lock);
  first_fetch = session->next_fetch + 1;
  known = take_result (session, reply, g_get_monotonic_time ());
  first = known && session->state == FAL_DIALER_WARMING_UP;
  queued = session->next_fetch >= first_fetch; /* else it answers a frame that was flushed away */
  if (!known)
    session->stats.late += MAX (reply->images->len, 1);
  if (known && empty)
    session->stats.invalid++;
  session->told_warming &= !known;
  g_mutex_unlock (&session->lock);
  fal_session_tell_drops (session);
  if (!known)
    return;
  announce (session, first);
  if (queued)
    fetch_links (session, reply, first_fetch);
  if (empty)
    warn_without_picture (session);
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

/* @reply NULL: one that nobody can read; else an error in place of a result. Where replies carry no
 * id it stands for the oldest request; else that one is found out by a later reply or its timeout.
 */
static void
on_failed_reply (FalSession *session, const GError *error, const FalReply *reply)
{
  g_mutex_lock (&session->lock);
  if (!fal_pacer_echoes (session->pacer))
    fal_pacer_fail_oldest (session->pacer);
  if (reply == NULL)
    session->stats.invalid++;
  fal_session_note_progress (session);
  g_mutex_unlock (&session->lock);
  fal_session_tell_drops (session);
  fal_session_warn (session, error, reply ? describe_error (reply) : NULL);
}

/* With the lock held: whether it is the request id that an app nothing is known of does not take.
 * An app that answered before has nothing against it. */
static gboolean
refuses_ids (const FalSession *session, const FalReply *reply)
{
  return session->settings->request_id == FAL_REQUEST_ID_AUTO && fal_session_sends_ids (session) &&
         session->stats.results == 0 && reply->reason && strstr (reply->reason, "request_id");
}

/* The app is dialled anew, and the frame sent again without an id. FALSE: that is not the trouble.
 */
static gboolean
drop_ids (FalSession *session, const FalReply *reply)
{
  gboolean refused;

  g_mutex_lock (&session->lock);
  refused = refuses_ids (session, reply);
  if (refused) {
    session->ids_refused = TRUE;
    fal_session_configure_pacer (session);
    fal_session_hop_close (session); /* not here: libsoup is still delivering the message */
  }
  g_mutex_unlock (&session->lock);
  return refused;
}

/* The server reports an error. fal's framework ends the session with it: what was queued there is
 * lost, and only the request that it was about has failed. */
static void
on_server_error (FalSession *session, const FalReply *reply)
{
  const gchar *type = reply->fields ? gst_structure_get_string (reply->fields, "type") : NULL;
  g_autofree gchar *what =
      g_strdup_printf ("the server reported %s%s%s", reply->error ? reply->error : "an error",
          reply->reason && *reply->reason ? ": " : "", reply->reason ? reply->reason : "");
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, what);

  if (drop_ids (session, reply))
    return;
  if (g_strcmp0 (type, "x-fal-error") != 0) {
    on_failed_reply (session, error, reply);
    return;
  }
  g_mutex_lock (&session->lock);
  fal_pacer_fail_oldest (session->pacer);
  g_mutex_unlock (&session->lock);
  fal_session_tell_drops (session);
  g_free (session->server_error);
  session->server_error = g_strdup (reply->error);
  fal_connection_fail (get_connection (session), FAL_FAULT_SERVER, what);
}

/* An error about the request of one that has left. */
static void
fail_for_nobody (FalSession *reader, const FalReply *reply)
{
  const gchar *type = reply->fields ? gst_structure_get_string (reply->fields, "type") : NULL;

  if (g_strcmp0 (type, "x-fal-error") == 0)
    fal_connection_fail (get_connection (reader), FAL_FAULT_SERVER, "the server reported an error");
}

/* ---- words about the connection and the last result ---- */

/* The time that the result just before took, where that one has not left yet. */
static void
on_timings (FalSession *session, const FalReply *reply)
{
  FalResult *last;

  if (reply->inference < 0)
    return;
  g_mutex_lock (&session->lock);
  session->stats.inference_last = reply->inference;
  last = g_queue_peek_tail (&session->results);
  if (last != NULL && last->inference < 0)
    last->inference = reply->inference;
  g_mutex_unlock (&session->lock);
}

static void
on_ready (gpointer member)
{
  FalSession *session = member;

  g_mutex_lock (&session->lock);
  if (session->running && !session->online && session->guard != NULL && !session->doomed)
    fal_session_go_online (session);
  g_mutex_unlock (&session->lock);
}

/* @session: whose request was meant; never NULL. */
static void
dispatch_reply (FalSession *session, const FalReply *reply)
{
  FalConnection *connection = get_connection (session);

  switch (reply->type) {
  case FAL_REPLY_RESULT:
    on_result (session, reply);
    break;
  case FAL_REPLY_TIMINGS:
    on_timings (session, reply);
    break;
  case FAL_REPLY_IDLE:
    fal_connection_note_idle (connection);
    fal_shared_connection_foreach (session->line, close_answered);
    break;
  case FAL_REPLY_FAILED:
    on_server_error (session, reply);
    break;
  case FAL_REPLY_UNAUTHORIZED:
    fal_connection_fail (connection, FAL_FAULT_UNAUTHORIZED, "the server refused the token");
    break;
  case FAL_REPLY_WEBRTC:
    fal_connection_fail (connection, FAL_FAULT_WEBRTC, "the app asks for WebRTC");
    break;
  case FAL_REPLY_READY:
    fal_shared_connection_set_ready (session->line);
    fal_shared_connection_foreach (session->line, on_ready);
    break;
  case FAL_REPLY_OTHER:
    break;
  }
}

/* ---- messages ---- */

static void
note_received (gpointer member)
{
  FalSession *session = member;

  g_mutex_lock (&session->lock);
  session->last_received = session->last_active = g_get_monotonic_time ();
  fal_session_note_connection (session);
  g_mutex_unlock (&session->lock);
}

/* Takes the member's tag off an id of ours; −1: it says nothing of a member. */
static gint64
take_tag (FalReply *reply)
{
  gchar *mark = reply->request_id ? strrchr (reply->request_id, TAG_MARK) : NULL;
  guint64 tag;

  if (mark == NULL)
    return reply->request_id && fal_request_id_parse (reply->request_id, &tag) ? 0 : -1;
  if (!g_ascii_string_to_unsigned (mark + 1, 10, 1, G_MAXUINT, &tag, NULL))
    return -1;
  *mark = '\0';
  return tag;
}

/* The session that the reply is about; NULL: one that has left. */
static FalSession *
find_session (FalSession *reader, FalReply *reply)
{
  FalSession *session;

  switch (reply->type) {
  case FAL_REPLY_RESULT:
    return fal_shared_connection_take_answered (reader->line, take_tag (reply));
  case FAL_REPLY_FAILED:
    session = fal_shared_connection_take_answered (reader->line, take_tag (reply));
    if (session == NULL)
      fail_for_nobody (reader, reply);
    return session;
  case FAL_REPLY_TIMINGS:
    return fal_shared_connection_get_last_answered (reader->line);
  default:
    return reader;
  }
}

static FalReply *
read_message (FalSession *reader, GBytes *message, gboolean text, GError **error)
{
  g_autoptr (FalSettings) settings = fal_session_dup_settings (reader);
  const gchar *result_field = fal_settings_get_result_field (settings);
  GstStructure *map = reader->callbacks.decode (reader->user, message, text);

  if (map != NULL)
    return fal_protocol_read_reply (map, result_field, error);
  return fal_protocol_parse_reply (message, text, result_field, error);
}

/* Where the connection is given up already, what it brings could be taken for another frame's. What
 * concerns all members counts even where the one that reads is about to leave. */
static gboolean
is_counted (FalSession *session, const FalReply *reply)
{
  gboolean counted;

  if (reply != NULL && reply->type != FAL_REPLY_RESULT && reply->type != FAL_REPLY_FAILED)
    return TRUE;
  g_mutex_lock (&session->lock);
  counted = session->running && session->doomed == 0;
  g_mutex_unlock (&session->lock);
  return counted;
}

void
fal_session_take_message (gpointer data, GBytes *message, gboolean text)
{
  FalSession *reader = data, *session;
  g_autoptr (GError) error = NULL;
  g_autoptr (FalReply) reply = NULL;

  fal_shared_connection_foreach (reader->line, note_received);
  reply = read_message (reader, message, text, &error);
  session =
      reply ? find_session (reader, reply) : fal_shared_connection_take_answered (reader->line, -1);
  if (session == NULL || !is_counted (session, reply))
    return;
  if (reply != NULL)
    dispatch_reply (session, reply);
  else
    on_failed_reply (session, error, NULL);
}
