/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two forms of a value, msgpack and JSON, share. Private to value*.c. */
#pragma once

#include "value.h"

G_BEGIN_DECLS

#define FAL_VALUE_MAX_NAME_BYTES 256

/* Whether @name may become a field's name: few new ones are let in, in a process's life. */
gboolean fal_value_admit_name (const gchar *name);

/* Initialises @value and gives it @map. */
void fal_value_take_map (GValue *value, GstStructure *map);

/* Items for fal_value_take_list(). */
GArray *fal_value_new_items (guint count);

/* Initialises @value with @items, which stay the caller's and are left unset. */
void fal_value_take_list (GValue *value, GArray *items);

/* What a value is written with. A function that returns text says why it cannot. */
typedef struct {
  void (*nil) (gpointer out);
  void (*truth) (gpointer out, gboolean value);
  void (*integer) (gpointer out, gint64 value);
  const gchar *(*natural) (gpointer out, guint64 value);
  const gchar *(*real) (gpointer out, gdouble value);
  const gchar *(*text) (gpointer out, const gchar *text, gsize size);
  const gchar *(*bytes) (gpointer out, gconstpointer data, gsize size);
  void (*begin_list) (gpointer out, guint count);
  void (*end_list) (gpointer out);
  void (*begin_map) (gpointer out, guint count);
  void (*name) (gpointer out, const gchar *name);
  void (*end_map) (gpointer out);
} FalValueWriter;

/* Writes all of @map; an error names the field. */
gboolean fal_value_write (
    const FalValueWriter *writer, gpointer out, const GstStructure *map, GError **error);

G_END_DECLS
