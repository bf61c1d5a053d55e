/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fal's realtime messages: a request to bytes, bytes to a reply.
 *
 * Pure: no thread, lock, clock, socket or log; thread safe. The rules are those
 * of fal's published clients and of its open server framework. */
#pragma once

#include "fal/options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  const GstStructure *parameters; /* every input but picture and id; may be NULL */
  const gchar *image_field;       /* dotted name */
  FalImageEncoding image_encoding;
  GBytes *image;           /* may be NULL: a request without a picture */
  const gchar *media_type; /* of @image: "image/jpeg" */
  const gchar *request_id; /* NULL: none is sent */
  FalMessageEncoding encoding;
} FalRequest;

/* The request as the bytes of one binary WebSocket frame. */
GBytes *fal_protocol_encode_request (const FalRequest *request, GError **error);

typedef enum {
  FAL_REPLY_RESULT,       /* pictures, or a result without one */
  FAL_REPLY_TIMINGS,      /* @inference belongs to the result just before */
  FAL_REPLY_READY,        /* the app may be sent its first request */
  FAL_REPLY_IDLE,         /* no input for a while: a close 1000 follows, benign */
  FAL_REPLY_FAILED,       /* @error, @reason: input, model or session failed */
  FAL_REPLY_UNAUTHORIZED, /* the token is of no use any more */
  FAL_REPLY_WEBRTC,       /* the app wants WebRTC: not an app of frames */
  FAL_REPLY_OTHER,        /* a type that is not known: ignore */
} FalReplyType;

/* A picture of a reply: encoded, or only a link to it (http or https); one of the two is NULL. */
typedef struct {
  GBytes *bytes;
  gchar *link;
} FalImage;

typedef struct {
  FalReplyType type;
  GPtrArray *images;    /* FalImage, in order; never NULL */
  gchar *request_id;    /* as text, also where it came as a number; or NULL */
  gdouble inference;    /* seconds; negative where nothing was said */
  gchar *error;         /* the error's name or message; or NULL */
  gchar *reason;        /* more about it; or NULL */
  GstStructure *fields; /* all of the message but its pictures; or NULL (a raw frame) */
} FalReply;

void fal_reply_free (FalReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalReply, fal_reply_free)

/* One message of the server. @result_field is where the pictures are
 * ("images[*].content"), NULL or "auto" to look in the usual places. A picture
 * may be bytes, a data URI or plain base64; a binary message that begins like a
 * picture is one. Error: G_IO_ERROR_INVALID_DATA. */
FalReply *fal_protocol_parse_reply (
    GBytes *message, gboolean text, const gchar *result_field, GError **error);

/* The same of a message that somebody decoded already (@map is taken). */
FalReply *fal_protocol_read_reply (GstStructure *map, const gchar *result_field, GError **error);

G_END_DECLS
