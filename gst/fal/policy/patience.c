/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Soon at first, and then ever more seldom. Pure. */
#include "patience.h"

#define INTERVAL (30 * G_TIME_SPAN_SECOND)

static gint64
get_next (const gint64 *steps, guint n, gint64 waited)
{
  for (guint i = 0; i < n; i++)
    if (waited < steps[i] * G_TIME_SPAN_SECOND)
      return steps[i] * G_TIME_SPAN_SECOND;
  return G_MAXINT64;
}

gint64
fal_patience_get_next (FalDialerState state, gint64 waited)
{
  static const gint64 frame[] = { 5 }, other[] = { 3, 10, 20 };
  gint64 next;

  switch (state) {
  case FAL_DIALER_IDLE:
    return get_next (frame, G_N_ELEMENTS (frame), waited);
  case FAL_DIALER_AUTHENTICATING:
  case FAL_DIALER_CONNECTING:
  case FAL_DIALER_WARMING_UP:
    next = get_next (other, G_N_ELEMENTS (other), waited);
    return next < G_MAXINT64 ? next : (waited / INTERVAL + 1) * INTERVAL;
  case FAL_DIALER_CONNECTED:
  case FAL_DIALER_WAITING:
  case FAL_DIALER_FAILED:
    break;
  }
  return G_MAXINT64;
}
