/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signals by which an application takes part: it gives tokens, accepts certificates, encodes
 * and decodes messages its own way, and hears of results. No lock is held while a handler runs. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

/* What the action signals do. */
typedef struct {
  gboolean (*send) (GstElement *element, const GstStructure *parameters);
  gboolean (*unset) (GstElement *element, const gchar *property);
  void (*reconnect) (GstElement *element);
  void (*clear) (GstElement *element);
  void (*close) (GstElement *element);
  void (*reset_stats) (GstElement *element);
} GstFalActions;

/* Adds the signals to @type. To be called once, while the class is made. */
void gst_fal_signals_install (GType type, const GstFalActions *actions);

/* Net thread. The handler runs on a thread of its own, for as long as it likes, and its answer goes
 * to @promise, of which a reference is taken. */
gboolean gst_fal_has_token_provider (GstElement *element);
void gst_fal_request_token (GstElement *element, FalTokenPromise *promise);

/* Net thread. Without a handler: FALSE. */
gboolean gst_fal_accept_certificate (GstElement *element, GTlsConnection *connection,
    GTlsCertificate *certificate, GTlsCertificateFlags errors);

/* Send thread. NULL: the element is to encode the request itself. */
gboolean gst_fal_has_encoder (GstElement *element);
GBytes *gst_fal_encode_message (GstElement *element, GstStructure *request, GBytes *image);
/* Net thread. NULL: nobody decodes the message, so the element is to. */
GstStructure *gst_fal_decode_message (GstElement *element, GBytes *message, gboolean text);

/* The source pad's task, just before the buffer goes out. */
gboolean gst_fal_has_result_handler (GstElement *element);
void gst_fal_emit_result (GstElement *element, const GstStructure *result);

G_END_DECLS
