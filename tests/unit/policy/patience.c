/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a user who waits is told so. */
#include "fal/policy/patience.h"

#define S G_TIME_SPAN_SECOND

static void
test_a_wait_is_told_of (void)
{
  static const struct {
    FalDialerState state;
    gint64 waited, next;
  } rows[] = {
    { FAL_DIALER_IDLE, 0, 5 * S },
    { FAL_DIALER_IDLE, 5 * S - 1, 5 * S },
    { FAL_DIALER_IDLE, 5 * S, G_MAXINT64 },
    { FAL_DIALER_AUTHENTICATING, 0, 3 * S },
    { FAL_DIALER_CONNECTING, 0, 3 * S },
    { FAL_DIALER_CONNECTING, 3 * S, 10 * S },
    { FAL_DIALER_CONNECTING, 10 * S, 20 * S },
    { FAL_DIALER_CONNECTING, 20 * S, 30 * S },
    { FAL_DIALER_WARMING_UP, 30 * S - 1, 30 * S },
    { FAL_DIALER_WARMING_UP, 30 * S, 60 * S },
    { FAL_DIALER_WARMING_UP, 3600 * S, 3630 * S },
    { FAL_DIALER_CONNECTED, 0, G_MAXINT64 },
    { FAL_DIALER_WAITING, 0, G_MAXINT64 },
    { FAL_DIALER_FAILED, 0, G_MAXINT64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("state %d after %" G_GINT64_FORMAT, rows[i].state, rows[i].waited);
    g_assert_cmpint (fal_patience_get_next (rows[i].state, rows[i].waited), ==, rows[i].next);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/patience/a-wait-is-told-of", test_a_wait_is_told_of);
  return g_test_run ();
}
