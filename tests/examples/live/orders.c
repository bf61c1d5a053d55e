/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One row for each type of order, with what it must have. */
#include "orders.h"
#include "fal/wire/value-json.h"
#include <gio/gio.h>

static gboolean
read_set (LiveOrder *order)
{
  order->name = gst_structure_get_string (order->fields, "name");
  order->value = gst_structure_get_value (order->fields, "value");
  return order->name != NULL && order->value != NULL;
}

static gboolean
read_network (LiveOrder *order)
{
  return gst_structure_get_boolean (order->fields, "on", &order->on);
}

static gboolean
read_camera (LiveOrder *order)
{
  order->name = gst_structure_get_string (order->fields, "from");
  return order->name != NULL;
}

static gboolean
read_shown (LiveOrder *order)
{
  gint64 kind;

  if (!gst_structure_get_int64 (order->fields, "kind", &kind) || kind < 0 ||
      kind >= LIVE_N_PICTURES)
    return FALSE;
  order->picture = kind;
  return TRUE;
}

static gboolean
read_nothing (LiveOrder *order)
{
  return TRUE;
}

static const struct {
  const gchar *name;
  LiveOrderType type;
  gboolean (*read) (LiveOrder *order);
} rows[] = {
  { "set", LIVE_ORDER_SET, read_set },
  { "network", LIVE_ORDER_NETWORK, read_network },
  { "camera", LIVE_ORDER_CAMERA, read_camera },
  { "reconnect", LIVE_ORDER_RECONNECT, read_nothing },
  { "shown", LIVE_ORDER_SHOWN, read_shown },
};

void
live_order_clear (LiveOrder *order)
{
  g_clear_pointer (&order->fields, gst_structure_free);
}

gboolean
live_order_parse (LiveOrder *order, const gchar *text, gsize length, GError **error)
{
  g_auto (LiveOrder) read = { .fields = fal_value_from_json (text, length, error) };
  const gchar *type;

  if (read.fields == NULL)
    return FALSE;
  type = gst_structure_get_string (read.fields, "type");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    read.type = rows[i].type;
    if (g_strcmp0 (type, rows[i].name) == 0 && rows[i].read (&read)) {
      *order = read;
      read.fields = NULL;
      return TRUE;
    }
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "No order of the page: its type is not known, or a field is missing");
  return FALSE;
}
