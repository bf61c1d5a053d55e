/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a page asks for, read from its messages. Pure. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  LIVE_ORDER_SET,       /* name, value */
  LIVE_ORDER_NETWORK,   /* on */
  LIVE_ORDER_CAMERA,    /* name */
  LIVE_ORDER_RECONNECT, /* nothing */
  LIVE_ORDER_SHOWN,     /* picture */
} LiveOrderType;

typedef enum { LIVE_PICTURE_INPUT, LIVE_PICTURE_RESULT, LIVE_N_PICTURES } LivePicture;

typedef struct {
  LiveOrderType type;
  gboolean on;
  LivePicture picture;
  const gchar *name;   /* in @fields */
  const GValue *value; /* the same; a string that is NULL: the setting is not to be sent any more */
  GstStructure *fields;
} LiveOrder;

/* FALSE: it is none of these; the message of @error, G_IO_ERROR_INVALID_ARGUMENT, says why. */
gboolean live_order_parse (LiveOrder *order, const gchar *text, gsize length, GError **error);
void live_order_clear (LiveOrder *order);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LiveOrder, live_order_clear)

G_END_DECLS
