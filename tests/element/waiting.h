/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a test waits: for the thing itself, with a watchdog that ends the test where it does not
 * come and prints what there was instead; and how a time limit is held. No other file of these
 * tests sleeps. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Longest wait for anything in a test. */
#define WATCHDOG_SECONDS 20

/* Waits until @condition, an expression that is evaluated again and again, holds. @element (NULL:
 * none) is a falrealtimefilter that a failure prints the figures of. */
#define WAIT_UNTIL(element, condition)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    Wait wait_ = wait_begin (1000, #condition, G_STRLOC);                                          \
                                                                                                   \
    while (!(condition))                                                                           \
      if (!wait_goes_on (&wait_))                                                                  \
        wait_fail (&wait_, element);                                                               \
  }                                                                                                \
  G_STMT_END

/* The same for what comes of a step that is repeated, like the push of another frame: does @step, a
 * statement, about two hundred times a second. */
#define REPEAT_UNTIL(element, condition, step)                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    Wait wait_ = wait_begin (5000, #condition, G_STRLOC);                                          \
                                                                                                   \
    while (!(condition)) {                                                                         \
      step;                                                                                        \
      if (!wait_goes_on (&wait_))                                                                  \
        wait_fail (&wait_, element);                                                               \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

/* What the two are made of, for a failure that has more to tell. */
typedef struct {
  guint interval; /* between two looks, µs */
  gint64 end;     /* of the watchdog, monotonic µs */
  const gchar *condition, *place;
} Wait;

Wait wait_begin (guint interval, const gchar *condition, const gchar *place);
/* Sleeps for the interval; FALSE: the watchdog's time is over. */
gboolean wait_goes_on (Wait *wait);
void wait_fail (const Wait *wait, GstElement *element) G_GNUC_NORETURN;

/* Does @step, a statement, and fails where it took more than @limit µs: of the clock, less the time
 * for which this program's threads were ready to run and another program had the processor. So a
 * limit is one for the program, and the same on a busy machine. Where a sanitizer slows the program
 * down it is longer (PATIENCE, tests/meson.build). */
#define EXPECT_WITHIN(limit, step)                                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    TimeLimit *limit_ = time_limit_begin ();                                                       \
                                                                                                   \
    step;                                                                                          \
    time_limit_expect (limit_, limit, #step, G_STRLOC);                                            \
  }                                                                                                \
  G_STMT_END

typedef struct _TimeLimit TimeLimit;

TimeLimit *time_limit_begin (void);
/* Frees it. Returns what the clock says, in µs. */
gint64 time_limit_expect (TimeLimit *watch, gint64 limit, const gchar *step, const gchar *place);

/* Frees it and returns what the clock says, in µs, for a limit that is on something else: *@delayed is
 * the time for which this program's threads were ready to run and another had the processor. */
gint64 time_limit_end (TimeLimit *watch, gint64 *delayed);

/* Returns at a moment of the monotonic clock, µs: when a source makes its next frame, or when
 * something is to meet the element in the middle of its work. Nothing may be expected to have
 * happened by then. */
void pace_until (gint64 moment);
/* The same, so many microseconds from now. */
void pace_for (gint64 interval);

G_END_DECLS
