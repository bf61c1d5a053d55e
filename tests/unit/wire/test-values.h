/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values from literals, and what they are written as. */
#pragma once

#include "wire.h"

#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"

/* A literal of msgpack; see WIRE(). */
GstStructure *from_wire (const gchar *data, gsize size, GError **error);

/* JSON that must be read. */
GstStructure *from_good_json (const gchar *text);

/* @map is written as exactly that. */
void assert_json (const GstStructure *map, const gchar *expected);
void assert_msgpack (const GstStructure *map, const gchar *expected, gsize size);

/* The pages of memory that the process holds. */
gulong get_resident_pages (void);
