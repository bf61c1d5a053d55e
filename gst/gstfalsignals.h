/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signals by which an application takes part: tokens, certificates, messages its own way,
 * results. No lock is held while a handler runs. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

/* The actions' class handlers; @element is the instance. */
typedef struct {
  gboolean (*send) (GstElement *element, const GstStructure *parameters);
  void (*reconnect) (GstElement *element);
  void (*clear) (GstElement *element);
  void (*close) (GstElement *element);
  void (*reset_stats) (GstElement *element);
} GstFalActions;

/* In class_init of the one class that has them. */
void gst_fal_signals_install (GType type, const GstFalActions *actions);

/* Net thread. The handler runs on a thread of its own, for as long as it likes. */
gboolean gst_fal_has_token_provider (GstElement *element);
void gst_fal_request_token (GstElement *element, FalTokenPromise *provision);

/* Net thread. Without a handler: FALSE. */
gboolean gst_fal_accept_certificate (GstElement *element, GTlsConnection *connection,
    GTlsCertificate *certificate, GTlsCertificateFlags errors);

/* Send thread and net thread. NULL without a handler, or where it leaves it to the element. */
GBytes *gst_fal_encode_message (GstElement *element, GstStructure *request, GBytes *image);
GstStructure *gst_fal_decode_message (GstElement *element, GBytes *message, gboolean text);

/* Source task, just before the buffer goes out. */
void gst_fal_emit_result (GstElement *element, const GstStructure *result);

G_END_DECLS
