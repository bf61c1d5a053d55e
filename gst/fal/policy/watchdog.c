/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The watchdog: what is known of the connection, and what follows from it. */
#include "watchdog.h"

/* After that the other members of a shared connection are asked again. */
#define ASK_AGAIN (1 * G_TIME_SPAN_SECOND)

void
fal_watchdog_reset (FalWatchdog *watchdog)
{
  *watchdog = (FalWatchdog){ .config = watchdog->config };
}

void
fal_watchdog_configure (FalWatchdog *watchdog, const FalWatchdogConfig *config)
{
  watchdog->config = *config;
}

/* ---- what happened ---- */

void
fal_watchdog_note_opened (FalWatchdog *watchdog, gint64 now)
{
  watchdog->open = TRUE;
  watchdog->wanted = TRUE; /* until it is online */
  watchdog->given_up = 0;
  watchdog->greeted = FALSE;
  watchdog->heard = watchdog->received = watchdog->active = now;
}

void
fal_watchdog_note_online (FalWatchdog *watchdog)
{
  watchdog->online = TRUE;
  watchdog->wanted = FALSE;
}

/* Whether it was made anew only because no result came. */
static gboolean
was_silent (const FalWatchdog *watchdog)
{
  return watchdog->given_up != 0 &&
         (watchdog->fault == FAL_FAULT_SILENT || watchdog->fault == FAL_FAULT_LOADING);
}

void
fal_watchdog_note_ended (FalWatchdog *watchdog)
{
  if (!was_silent (watchdog))
    watchdog->silent_since = watchdog->reminded = 0;
  else if (watchdog->fault == FAL_FAULT_LOADING)
    watchdog->loadings = MIN (watchdog->loadings + 1, FAL_WATCHDOG_MAX_DOUBLINGS);
  watchdog->open = watchdog->online = watchdog->wanted = watchdog->closing = FALSE;
  watchdog->given_up = 0;
}

void
fal_watchdog_note_message (FalWatchdog *watchdog, gint64 now)
{
  watchdog->received = watchdog->active = now;
}

void
fal_watchdog_note_request (FalWatchdog *watchdog, gint64 now)
{
  watchdog->active = now;
  if (watchdog->silent_since == 0)
    watchdog->silent_since = now;
}

void
fal_watchdog_note_activity (FalWatchdog *watchdog, gint64 now)
{
  watchdog->active = now;
}

void
fal_watchdog_note_heard (FalWatchdog *watchdog, gint64 heard)
{
  watchdog->heard = MAX (watchdog->heard, heard); /* whoever looked may come late */
}

void
fal_watchdog_note_result (FalWatchdog *watchdog)
{
  watchdog->silent_since = watchdog->reminded = 0;
  watchdog->loadings = 0;
  watchdog->greeted = FALSE;
}

void
fal_watchdog_note_greeting (FalWatchdog *watchdog)
{
  watchdog->greeted = TRUE;
}

void
fal_watchdog_note_connected_time (FalWatchdog *watchdog, gint64 since, gint64 time)
{
  watchdog->paid_since = since;
  watchdog->paid = time;
}

/* ---- what is decided ---- */

gboolean
fal_watchdog_want (FalWatchdog *watchdog)
{
  if (watchdog->online || watchdog->wanted || watchdog->closing)
    return FALSE;
  watchdog->wanted = TRUE;
  return TRUE;
}

void
fal_watchdog_close (FalWatchdog *watchdog)
{
  watchdog->closing = TRUE;
}

gboolean
fal_watchdog_release (FalWatchdog *watchdog, gint64 now)
{
  if (watchdog->closing || !(watchdog->open || watchdog->wanted))
    return FALSE;
  watchdog->closing = TRUE;
  watchdog->asked = now;
  return TRUE;
}

void
fal_watchdog_keep (FalWatchdog *watchdog)
{
  watchdog->closing = FALSE;
}

gboolean
fal_watchdog_needs (FalWatchdog *watchdog, gboolean active, gboolean busy, gint64 now)
{
  gint64 timeout = watchdog->config.idle_timeout;
  gboolean rests = !busy && timeout != 0 && now - watchdog->active >= timeout;
  gboolean needed = active && !watchdog->closing && !rests;

  watchdog->closing |= !needed;
  return needed;
}

gboolean
fal_watchdog_give_up (FalWatchdog *watchdog, FalFaultKind kind, gint64 now)
{
  if (watchdog->given_up != 0)
    return FALSE;
  watchdog->given_up = now;
  watchdog->fault = kind;
  watchdog->cut = FALSE;
  watchdog->online = FALSE;
  watchdog->wanted = TRUE; /* as soon as the old one has ended */
  return TRUE;
}

gboolean
fal_watchdog_is_online (const FalWatchdog *watchdog)
{
  return watchdog->online;
}

gboolean
fal_watchdog_is_closing (const FalWatchdog *watchdog)
{
  return watchdog->closing;
}

gboolean
fal_watchdog_is_given_up (const FalWatchdog *watchdog)
{
  return watchdog->given_up != 0;
}

FalFaultKind
fal_watchdog_get_fault (const FalWatchdog *watchdog)
{
  return watchdog->fault;
}

gboolean
fal_watchdog_awaits_ready (const FalWatchdog *watchdog)
{
  return watchdog->open && !watchdog->online && watchdog->given_up == 0;
}

gint64
fal_watchdog_get_cut_time (const FalWatchdog *watchdog)
{
  if (!watchdog->open || watchdog->given_up == 0 || watchdog->cut)
    return G_MAXINT64;
  return watchdog->given_up + FAL_WATCHDOG_CUT_AFTER;
}

void
fal_watchdog_note_cut (FalWatchdog *watchdog)
{
  watchdog->cut = TRUE;
}

gboolean
fal_watchdog_is_dead (const FalWatchdog *watchdog, gint64 sent, gint64 now)
{
  return watchdog->open && watchdog->given_up == 0 &&
         now - FAL_WATCHDOG_DEAD_AFTER > MAX (watchdog->heard, sent);
}

gint64
fal_watchdog_get_idle_time (const FalWatchdog *watchdog, gboolean busy, gboolean spent)
{
  if (!watchdog->online || watchdog->closing)
    return G_MAXINT64;
  if (spent)
    return watchdog->asked + ASK_AGAIN;
  if (watchdog->config.idle_timeout == 0 || busy)
    return G_MAXINT64;
  return MAX (watchdog->active, watchdog->asked) + watchdog->config.idle_timeout;
}

gint64
fal_watchdog_get_quiet_time (const FalWatchdog *watchdog)
{
  if (!watchdog->online || watchdog->config.request_timeout == 0)
    return G_MAXINT64;
  return watchdog->active + watchdog->config.request_timeout;
}

/* The connections that stand are paid for since times of their own: at the time in question these
 * spans, and what was paid before, are the limit in all. */
gint64
fal_watchdog_get_limit_time (const FalWatchdog *watchdogs, guint n)
{
  gint64 left = watchdogs->config.session_limit, since = 0;
  guint paid = 0;

  for (guint i = 0; i < n; i++) {
    left -= watchdogs[i].paid;
    if (!watchdogs[i].open || watchdogs[i].paid_since == 0)
      continue;
    since += watchdogs[i].paid_since;
    paid++;
  }
  if (watchdogs->config.session_limit == 0 || paid == 0)
    return G_MAXINT64;
  return (since + left + paid - 1) / paid;
}

gint64
fal_watchdog_get_reminder_time (const FalWatchdog *watchdog, gboolean busy)
{
  if (!watchdog->online || watchdog->closing || !busy || watchdog->silent_since == 0)
    return G_MAXINT64;
  return MAX (watchdog->silent_since, watchdog->reminded) + FAL_WATCHDOG_REMIND_AFTER;
}

gint64
fal_watchdog_remind (FalWatchdog *watchdog, gint64 now)
{
  watchdog->reminded = now;
  return now - watchdog->silent_since;
}

gboolean
fal_watchdog_has_greeted (const FalWatchdog *watchdog)
{
  return watchdog->greeted;
}

gint64
fal_watchdog_get_patience (const FalWatchdog *watchdog)
{
  return watchdog->config.request_timeout << watchdog->loadings;
}

FalFaultKind
fal_watchdog_judge_silence (
    const FalWatchdog *watchdog, gboolean warming_up, gint64 sent, gint64 now)
{
  gint64 heard = watchdog->open ? watchdog->heard : now;

  if (watchdog->open && warming_up && heard > sent)
    return FAL_FAULT_LOADING;
  return now - MAX (heard, sent) >= FAL_WATCHDOG_PING_MISSED ? FAL_FAULT_DEAD : FAL_FAULT_SILENT;
}

gboolean
fal_watchdog_is_useless (const FalWatchdog *watchdog, FalFaultKind kind, gboolean echoes,
    gboolean tells_apart, gint64 now)
{
  if (kind == FAL_FAULT_LOADING)
    return !tells_apart;
  return !echoes || now - watchdog->received >= watchdog->config.request_timeout;
}
