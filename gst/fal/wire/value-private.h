/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What value-msgpack.c and value-json.c share. Private to value*.c. */
#pragma once

#include "names.h"
#include "value.h"

G_BEGIN_DECLS

/* Sets the field of @name, which names.h has admitted, to @value, which is taken. */
void fal_value_take_field (GstStructure *map, GQuark name, GValue *value);

/* An empty map. */
GstStructure *fal_value_new_map (void);

/* Initialises @value and gives it @map. */
void fal_value_take_map (GValue *value, GstStructure *map);

/* Initialises @value, an array, and moves the @n values of @items into it, which are left unset. */
void fal_value_take_list (GValue *value, GValue *items, guint n);

/* How values are written. @out is the writer's own. A function that returns text returns NULL, or
 * why the value cannot be written. */
typedef struct {
  void (*null) (gpointer out);
  void (*boolean) (gpointer out, gboolean value);
  void (*int64) (gpointer out, gint64 value);
  const gchar *(*uint64) (gpointer out, guint64 value);
  const gchar *(*float64) (gpointer out, gdouble value);
  const gchar *(*text) (gpointer out, const gchar *text, gsize size);
  const gchar *(*bytes) (gpointer out, gconstpointer data, gsize size);
  void (*begin_array) (gpointer out, guint count);
  void (*end_array) (gpointer out);
  void (*begin_map) (gpointer out, guint count);
  void (*key) (gpointer out, const gchar *key);
  void (*end_map) (gpointer out);
} FalValueWriter;

/* Writes all of @map, which may be NULL, with the @n_more of @more, whose names differ. Error:
 * G_IO_ERROR_INVALID_ARGUMENT, whose message names the field. */
gboolean fal_value_write (const FalValueWriter *writer, gpointer out, const GstStructure *map,
    const FalValueField *more, guint n_more, GError **error);

G_END_DECLS
