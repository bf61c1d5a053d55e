/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The send thread at work. */
#include "sender.h"
#include "fal/image/difference.h"
#include "fal/image/encoder.h"
#include "fal/image/frame-metas.h"
#include "fal/policy/request-id.h"
#include "fal/policy/stillness.h"
#include "request-builder.h"

#include <string.h>

struct _FalSender {
  FalSharedState *state;
  FalReporter *reporter;
  const FalSessionOwner *owner;
  guint member;
  GThread *thread;

  /* The thread, while it runs. */
  FalRequestBuilder *builder;
  FalDifference *difference;
  FalSignature *sent;       /* of the frame that was sent last; NULL: it is not known */
  FalSignature *looked_at;  /* of the frame that was looked at last; or NULL */
  guint64 looked_serial;    /* of that one */
  gboolean told_interlaced; /* that a deinterlacer belongs before */
  /* Of each connection that stands, as was told last; NULL: it does not. */
  FalSocketGuard *guards[FAL_MAX_CONNECTIONS];
  gint64 look_time; /* when to look at their sockets */
};

FalSender *
fal_sender_new (FalSharedState *state, FalReporter *reporter, const FalSessionOwner *owner)
{
  FalSender *sender = g_new0 (FalSender, 1);

  sender->state = state;
  sender->reporter = reporter;
  sender->owner = owner;
  return sender;
}

void
fal_sender_free (FalSender *sender)
{
  g_free (sender);
}

/* ---- requests ---- */

static GBytes *
build_request (FalSender *sender, FalWork *work, gboolean sends_ids, GError **error)
{
  g_autofree gchar *request_id =
      sends_ids ? fal_request_id_format (work->id, sender->member) : NULL;
  const FalSessionOwner *owner = sender->owner;
  const FalRequestParts parts = {
    .sample = work->sample,
    .part = work->frame->part,
    .layout = &work->layout,
    .request_id = request_id,
    .first = work->first,
    .feedback = work->feedback,
    .inputs = work->inputs,
    .encode = owner->events.has_encoder (owner->user) ? owner->events.encode : NULL,
    .user = owner->user,
  };

  return fal_request_builder_build (sender->builder, &parts, error);
}

/* The settings of now go to the builder, after the owner has set what it controls. Bad inputs are
 * warned about once. */
static gboolean
refresh_settings (FalSender *sender)
{
  gboolean sends_ids;
  g_autoptr (FalSettings) settings = fal_shared_state_begin_request (sender->state, &sends_ids);
  g_autoptr (GError) error = NULL;

  if (!fal_request_builder_set_settings (sender->builder, settings, &error))
    fal_reporter_tell (sender->reporter, FALSE, error, NULL);
  return sends_ids;
}

/* Told once after each start. */
static void
tell_interlaced (FalSender *sender, GstSample *sample)
{
  g_autoptr (GError) error = NULL;

  if (sender->told_interlaced || !fal_encoder_is_interlaced (sample))
    return;
  sender->told_interlaced = TRUE;
  error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "The frames are interlaced, and a model takes both fields for one picture. Put deinterlace "
      "before this element.");
  fal_reporter_tell (sender->reporter, FALSE, error, NULL);
}

/* ---- whether there is something to send ---- */

static void
forget_look (FalSender *sender)
{
  g_clear_pointer (&sender->looked_at, fal_signature_free);
  sender->looked_serial = 0;
}

/* What is looked at is the part that was sent last, which is nearly that of this frame: else it is
 * not looked at. So a region that trembles does not make the picture another. */
static void
look_at_frame (FalSender *sender, FalWork *work)
{
  const FalSessionOwner *owner = sender->owner;
  const FalArea *part = sender->sent ? fal_signature_get_part (sender->sent) : &work->frame->part;
  gdouble change;

  owner->events.looking (owner->user, work->frame);
  forget_look (sender);
  sender->looked_at = fal_difference_reduce (sender->difference, work->sample, part);
  sender->looked_serial = work->serial;
  change = fal_difference_compare (sender->difference, sender->sent, sender->looked_at);
  fal_shared_state_note_change (sender->state, work,
      change < FAL_STILLNESS_INCOMPARABLE ? change : FAL_STILLNESS_INCOMPARABLE);
}

/* Whether what was seen of the frame is the part that is sent. */
static gboolean
has_looked_at (const FalSender *sender, const FalWork *work)
{
  return sender->looked_at != NULL && sender->looked_serial == work->serial &&
         memcmp (
             fal_signature_get_part (sender->looked_at), &work->frame->part, sizeof (FalArea)) == 0;
}

/* The frame is sent: others are compared with it, where any are, unless it only goes again. */
static void
keep_signature (FalSender *sender, const FalWork *work)
{
  if (work->compared && work->serial == 0)
    return;
  g_clear_pointer (&sender->sent, fal_signature_free);
  if (work->compared && has_looked_at (sender, work))
    sender->sent = g_steal_pointer (&sender->looked_at);
  else if (work->compared)
    sender->sent = fal_difference_reduce (sender->difference, work->sample, &work->frame->part);
  forget_look (sender);
}

static void
send_frame (FalSender *sender, FalWork *work)
{
  const FalSessionOwner *owner = sender->owner;
  g_autoptr (GError) error = NULL;
  gboolean sends_ids;
  GBytes *message;
  gint64 began;

  tell_interlaced (sender, work->sample);
  keep_signature (sender, work);
  owner->events.sending (owner->user, work->frame, work->pause);
  sends_ids = refresh_settings (sender);
  began = g_get_monotonic_time ();
  message = build_request (sender, work, sends_ids, &error);
  work->metas = fal_frame_metas_keep (gst_sample_get_buffer (work->sample));
  work->invalid =
      work->layout.width == 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  fal_shared_state_finish_request (sender->state, work, message, g_get_monotonic_time () - began);
  if (message == NULL)
    fal_reporter_warn_of (sender->reporter, "A frame is dropped", error, NULL);
}

/* ---- other work ---- */

static const gchar *
get_hint (const FalWork *work)
{
  const FalFault fault = { FAL_FAULT_LOADING, work->greeted };

  return fal_fault_get_hint (&fault);
}

static void
warn_loading (FalSender *sender, const FalWork *work)
{
  const gchar *text = fal_fault_describe (FAL_FAULT_LOADING);
  g_autofree gchar *address = fal_reporter_dup_endpoint (sender->reporter);
  g_autoptr (GError) error =
      g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "%s: %s. %s", address, text, get_hint (work));

  if (work->told)
    fal_reporter_note (sender->reporter, "%s", text);
  else
    fal_reporter_tell (sender->reporter, FALSE, error, NULL);
}

static void
warn_silence (FalSender *sender, const FalWork *work)
{
  g_autofree gchar *address = fal_reporter_dup_endpoint (sender->reporter);
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "%s: no result came for %d s, though the connection stands; the model may still be loading. "
      "Still waiting. %s",
      address, (gint) (work->silence / G_TIME_SPAN_SECOND), get_hint (work));

  fal_reporter_tell (sender->reporter, FALSE, error, NULL);
}

static void
warn_expired (FalSender *sender, guint n)
{
  g_autofree gchar *requests = fal_reporter_count (n, "request");
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "%s got no answer within request-timeout. If the model takes that long, raise "
      "request-timeout.",
      requests);

  fal_reporter_warn (sender->reporter, error, NULL);
}

static void
warn_deadly (FalSender *sender, guint n)
{
  g_autofree gchar *frames = fal_reporter_count (n, "frame");
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE,
      "Gave up on %s: the connection ended %d times in a row while the request was out. Going on "
      "with the next frames.",
      frames, FAL_PACER_MAX_TRIES);

  fal_reporter_tell (sender->reporter, FALSE, error, NULL);
}

static void
warn_unanswered (FalSender *sender, guint n)
{
  g_autofree gchar *frames = fal_reporter_count (n, "frame");
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "Gave up on %s: there were %d requests and no answer. Going on with the next frames.", frames,
      FAL_PACER_MAX_TRIES);

  fal_reporter_tell (sender->reporter, FALSE, error, NULL);
}

static void
warn_given_up (FalSender *sender, const FalPacerGivenUp *given_up)
{
  if (given_up->deadly > 0)
    warn_deadly (sender, given_up->deadly);
  if (given_up->unanswered > 0)
    warn_unanswered (sender, given_up->unanswered);
}

/* Told before the end of the stream, after which nobody may listen any more. */
static void
end_by_limit (FalSender *sender, guint limit)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED,
      "The stream ends: it was connected for %u s, as long as session-limit allows. Set "
      "session-limit to more, or to 0, to go on for longer.",
      limit);

  fal_reporter_tell (sender->reporter, FALSE, error, NULL);
  fal_shared_state_spend (sender->state, FALSE);
}

/* The same; what was answered is paid for, and goes out. */
static void
end_by_budget (FalSender *sender, const FalCost *cost)
{
  g_autofree gchar *requests = fal_reporter_count (MIN (cost->requests, G_MAXUINT), "request");
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED,
      "The stream ends: its budget of %g is used up, by the prices that are set (%.1f s connected, "
      "%s). Set budget to more, or to 0, to go on for longer.",
      cost->limit, cost->time / (gdouble) G_TIME_SPAN_SECOND, requests);

  fal_reporter_tell (sender->reporter, FALSE, error, NULL);
  fal_shared_state_spend (sender->state, TRUE);
}

static void
do_work (FalSender *sender, FalWork *work)
{
  switch (work->kind) {
  case FAL_WORK_REQUEST:
    send_frame (sender, work);
    break;
  case FAL_WORK_LOOK:
    look_at_frame (sender, work);
    break;
  case FAL_WORK_EXPIRED:
    if (work->loading)
      warn_loading (sender, work);
    else
      warn_expired (sender, work->expired);
    break;
  case FAL_WORK_SILENCE:
    warn_silence (sender, work);
    break;
  case FAL_WORK_GIVEN_UP:
    warn_given_up (sender, &work->given_up);
    break;
  case FAL_WORK_LIMIT:
    end_by_limit (sender, work->limit);
    break;
  case FAL_WORK_COST:
    sender->owner->events.cost (sender->owner->user, &work->cost);
    break;
  case FAL_WORK_BUDGET:
    end_by_budget (sender, &work->cost);
    break;
  case FAL_WORK_CUT:
    if (work->guards[work->lane])
      fal_socket_guard_cut (work->guards[work->lane], work->fault);
    break;
  case FAL_WORK_NOTHING:
    break;
  }
}

/* ---- the thread ---- */

/* Where it is time to look: TRUE, and @heard becomes when anything was last heard of each peer. */
static gboolean
look_at_sockets (FalSender *sender, gint64 *heard)
{
  gint64 now;

  if (sender->look_time == G_MAXINT64)
    return FALSE;
  now = g_get_monotonic_time ();
  if (now < sender->look_time)
    return FALSE;
  sender->look_time = now + FAL_SOCKET_GUARD_INTERVAL;
  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++)
    heard[i] = sender->guards[i] ? fal_socket_guard_check (sender->guards[i], now) : 0;
  return TRUE;
}

/* TRUE: it is another one than was known. */
static gboolean
take_guard (FalSender *sender, guint lane, FalSocketGuard *guard)
{
  if (sender->guards[lane] == guard)
    return FALSE;
  g_clear_pointer (&sender->guards[lane], fal_socket_guard_unref);
  sender->guards[lane] = guard ? fal_socket_guard_ref (guard) : NULL;
  return TRUE;
}

/* The sockets of now are looked at; a new one at once. */
static void
take_guards (FalSender *sender, FalSocketGuard *const *guards)
{
  gboolean any = FALSE, changed = FALSE;

  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++) {
    changed |= take_guard (sender, i, guards[i]);
    any |= guards[i] != NULL;
  }
  if (changed)
    sender->look_time = any ? 0 : G_MAXINT64;
}

/* One look at the sockets, where it is due, and one piece of work. FALSE: the thread is to end. */
static gboolean
step (FalSender *sender)
{
  gint64 heard[FAL_MAX_CONNECTIONS];
  gboolean looked = look_at_sockets (sender, heard);
  FalWork work;
  gboolean runs = fal_shared_state_wait_for_work (
      sender->state, sender->look_time, looked ? heard : NULL, &work);

  take_guards (sender, work.guards);
  if (runs)
    do_work (sender, &work);
  fal_work_clear (&work);
  fal_reporter_tell_drops (sender->reporter, fal_shared_state_take_drops (sender->state));
  return runs;
}

static gpointer
send_main (gpointer data)
{
  while (step (data))
    ;
  return NULL;
}

static void
sender_clear (FalSender *sender)
{
  g_clear_pointer (&sender->builder, fal_request_builder_free);
  g_clear_pointer (&sender->difference, fal_difference_free);
  g_clear_pointer (&sender->sent, fal_signature_free);
  forget_look (sender);
  for (guint i = 0; i < FAL_MAX_CONNECTIONS; i++)
    take_guard (sender, i, NULL);
}

gboolean
fal_sender_start (FalSender *sender, FalSettings *settings, guint member, GError **error)
{
  sender->member = member;
  sender->look_time = G_MAXINT64;
  sender->told_interlaced = FALSE;
  sender->builder = fal_request_builder_new ();
  sender->difference = fal_difference_new ();
  fal_request_builder_set_settings (sender->builder, settings, NULL);
  sender->thread = g_thread_try_new ("fal-send", send_main, sender, error);
  if (sender->thread == NULL)
    sender_clear (sender);
  return sender->thread != NULL;
}

void
fal_sender_stop (FalSender *sender)
{
  g_thread_join (g_steal_pointer (&sender->thread));
  sender_clear (sender);
}
