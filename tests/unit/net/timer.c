/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timer: fires once for each time that was set, whoever set it. */
#include "fal/net/timer.h"

#define WATCHDOG (20 * G_TIME_SPAN_SECOND)

typedef struct {
  GMainContext *context;
  FalTimer *timer;
  guint fired;
  gint64 fired_at;
  gint64 again; /* what it is set to when it fires; G_MAXINT64: nothing */
} Clock;

static void
on_fired (gpointer user)
{
  Clock *clock = user;

  clock->fired++;
  clock->fired_at = g_get_monotonic_time ();
  fal_timer_set (clock->timer, clock->again);
  clock->again = G_MAXINT64;
}

static void
clock_init (Clock *clock)
{
  *clock = (Clock){ .context = g_main_context_new (), .again = G_MAXINT64 };
  clock->timer = fal_timer_new (clock->context, on_fired, clock);
}

static void
clock_clear (Clock *clock)
{
  g_clear_pointer (&clock->timer, fal_timer_free);
  g_main_context_unref (clock->context);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Clock, clock_clear)

static void
run_what_is_due (Clock *clock)
{
  while (g_main_context_iteration (clock->context, FALSE))
    ;
}

static void
wait_until_fired (Clock *clock, guint times)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG;

  while (clock->fired < times) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_main_context_iteration (clock->context, TRUE);
  }
}

static void
test_nothing_set_never_fires (void)
{
  g_auto (Clock) clock = { 0 };

  clock_init (&clock);
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 0);
}

static void
test_it_fires_once_for_each_set (void)
{
  g_auto (Clock) clock = { 0 };

  clock_init (&clock);
  fal_timer_set (clock.timer, 0);
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 1);
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 1);
  fal_timer_set (clock.timer, 0);
  fal_timer_set (clock.timer, g_get_monotonic_time ());
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 2);
}

static void
test_a_later_set_replaces_what_was_set (void)
{
  g_auto (Clock) clock = { 0 };

  clock_init (&clock);
  fal_timer_set (clock.timer, 0);
  fal_timer_set (clock.timer, g_get_monotonic_time () + G_TIME_SPAN_DAY);
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 0);
  fal_timer_set (clock.timer, 0);
  fal_timer_set (clock.timer, G_MAXINT64);
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 0);
}

static void
test_it_is_not_early (void)
{
  g_auto (Clock) clock = { 0 };
  gint64 time;

  clock_init (&clock);
  time = g_get_monotonic_time () + 20 * G_TIME_SPAN_MILLISECOND;
  fal_timer_set (clock.timer, time);
  wait_until_fired (&clock, 1);
  g_assert_cmpint (clock.fired_at, >=, time);
}

static void
test_it_may_be_set_while_it_fires (void)
{
  g_auto (Clock) clock = { 0 };

  clock_init (&clock);
  clock.again = 0;
  fal_timer_set (clock.timer, 0);
  wait_until_fired (&clock, 2);
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 2);
}

static void
on_fired_for_the_last_time (gpointer user)
{
  Clock *clock = user;

  clock->fired++;
  g_clear_pointer (&clock->timer, fal_timer_free);
}

static void
test_it_may_be_freed_while_it_fires (void)
{
  g_auto (Clock) clock = { .context = g_main_context_new () };

  clock.timer = fal_timer_new (clock.context, on_fired_for_the_last_time, &clock);
  fal_timer_set (clock.timer, 0);
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 1);
  g_assert_null (clock.timer);
}

static void
test_freed_it_fires_no_more (void)
{
  g_auto (Clock) clock = { 0 };

  clock_init (&clock);
  fal_timer_set (clock.timer, 0);
  g_clear_pointer (&clock.timer, fal_timer_free);
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 0);
}

static gpointer
set_from_a_thread (gpointer data)
{
  fal_timer_set (data, 0);
  return NULL;
}

/* Each time the context may sleep already: it wakes, or the watchdog ends this. */
static void
test_another_thread_wakes_the_context (void)
{
  g_auto (Clock) clock = { 0 };

  clock_init (&clock);
  for (guint i = 1; i <= 200; i++) {
    GThread *thread = g_thread_new ("setter", set_from_a_thread, clock.timer);

    wait_until_fired (&clock, i);
    g_thread_join (thread);
  }
  run_what_is_due (&clock);
  g_assert_cmpuint (clock.fired, ==, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/timer/" #name, test_##name)
  ADD (nothing_set_never_fires);
  ADD (it_fires_once_for_each_set);
  ADD (a_later_set_replaces_what_was_set);
  ADD (it_is_not_early);
  ADD (it_may_be_set_while_it_fires);
  ADD (it_may_be_freed_while_it_fires);
  ADD (freed_it_fires_no_more);
  ADD (another_thread_wakes_the_context);
  return g_test_run ();
}
