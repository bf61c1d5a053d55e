/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message that tells a page how it goes. Pure. */
#pragma once

#include "limit.h"

G_BEGIN_DECLS

/* A map for fal_value_to_json(). @stats: the element's; @time: since the start, µs. What is not
 * known yet is null in it. */
GstStructure *live_sample_new (
    const GstStructure *stats, gint64 time, LiveLimit limit, const gchar *sentence);

G_END_DECLS
