/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reading of an element's statistics at one moment, whose sums must hold at any. Any thread. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  guint64 in, sent, dropped, waiting;
  guint64 answered, failed, expired, lost, in_flight;
  guint64 out, connections;
  gdouble age_p50, age_p95; /* ms */
} Books;

/* Ends the test where a sum does not hold. */
Books books_read (GstElement *element);

G_END_DECLS
