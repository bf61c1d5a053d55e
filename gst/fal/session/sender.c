/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The send thread at work. */
#include "sender.h"
#include "fal/policy/request-id.h"
#include "request-builder.h"

struct _FalSender {
  FalSharedState *state;
  FalReporter *reporter;
  const FalSessionOwner *owner;
  guint member;
  GThread *thread;

  /* The thread, while it runs. */
  FalRequestBuilder *builder;
  FalSocketGuard *guard; /* of the connection that stands, as was told last; NULL: none */
  gint64 look_time;      /* when to look at its socket */
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
build_request (FalSender *sender, const FalWork *work, gboolean sends_ids, GError **error)
{
  g_autofree gchar *request_id =
      sends_ids ? fal_request_id_format (work->id, sender->member) : NULL;
  const FalSessionOwner *owner = sender->owner;
  const FalRequestParts parts = {
    .sample = work->sample,
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

static void
send_frame (FalSender *sender, const FalWork *work)
{
  const FalSessionOwner *owner = sender->owner;
  g_autoptr (GError) error = NULL;
  gboolean sends_ids;
  GBytes *message;
  gint64 began;

  owner->events.sending (owner->user, work->frame, work->pause);
  sends_ids = refresh_settings (sender);
  began = g_get_monotonic_time ();
  message = build_request (sender, work, sends_ids, &error);
  fal_shared_state_finish_request (sender->state, work, message, g_get_monotonic_time () - began);
  if (message == NULL)
    fal_reporter_warn (sender->reporter, error, NULL);
}

/* ---- other work ---- */

static void
warn_loading (FalSender *sender, gboolean told)
{
  const gchar *text = fal_fault_describe (FAL_FAULT_LOADING);
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, text);

  if (told)
    fal_reporter_note (sender->reporter, "%s", text);
  else
    fal_reporter_tell (sender->reporter, FALSE, error, NULL);
}

static void
warn_expired (FalSender *sender, guint n)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
      "%u request(s) without an answer within request-timeout", n);

  fal_reporter_warn (sender->reporter, error, NULL);
}

/* Told before the end of the stream, after which nobody may listen any more. */
static void
end_by_limit (FalSender *sender, guint limit)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED,
      "connected for %u s, which is all that session-limit allows: the stream ends; set it higher, "
      "or to 0, to go on for longer",
      limit);

  fal_reporter_tell (sender->reporter, FALSE, error, NULL);
  fal_shared_state_spend (sender->state);
}

static void
do_work (FalSender *sender, const FalWork *work)
{
  switch (work->kind) {
  case FAL_WORK_REQUEST:
    send_frame (sender, work);
    break;
  case FAL_WORK_EXPIRED:
    if (work->loading)
      warn_loading (sender, work->told);
    else
      warn_expired (sender, work->expired);
    break;
  case FAL_WORK_LIMIT:
    end_by_limit (sender, work->limit);
    break;
  case FAL_WORK_CUT:
    if (work->guard)
      fal_socket_guard_cut (work->guard, work->fault);
    break;
  case FAL_WORK_NOTHING:
    break;
  }
}

/* ---- the thread ---- */

/* When anything was last heard of the peer, where it is time to look; else 0. */
static gint64
look_at_socket (FalSender *sender)
{
  gint64 now = g_get_monotonic_time ();

  if (sender->guard == NULL || now < sender->look_time)
    return 0;
  sender->look_time = now + FAL_SOCKET_GUARD_INTERVAL;
  return fal_socket_guard_check (sender->guard, now);
}

static void
take_guard (FalSender *sender, FalSocketGuard *guard)
{
  if (sender->guard == guard)
    return;
  g_clear_pointer (&sender->guard, fal_socket_guard_unref);
  sender->guard = guard ? fal_socket_guard_ref (guard) : NULL;
  sender->look_time = guard ? 0 : G_MAXINT64;
}

/* One look at the socket, where it is due, and one piece of work. FALSE: the thread is to end. */
static gboolean
step (FalSender *sender)
{
  gint64 heard = look_at_socket (sender);
  FalWork work;
  gboolean runs = fal_shared_state_wait_for_work (sender->state, sender->look_time, heard, &work);

  take_guard (sender, work.guard);
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

void
fal_sender_start (FalSender *sender, FalSettings *settings, guint member)
{
  sender->member = member;
  sender->look_time = G_MAXINT64;
  sender->builder = fal_request_builder_new ();
  fal_request_builder_set_settings (sender->builder, settings, NULL);
  sender->thread = g_thread_new ("fal-send", send_main, sender);
}

void
fal_sender_stop (FalSender *sender)
{
  g_thread_join (g_steal_pointer (&sender->thread));
  g_clear_pointer (&sender->builder, fal_request_builder_free);
  take_guard (sender, NULL);
}
