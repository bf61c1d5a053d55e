/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fal's realtime messages: encodes requests and parses replies.
 *
 * Pure: no thread, lock, clock, socket or log; used on any thread. The rules are those of fal's
 * published clients and of its open server framework. */
#pragma once

#include "fal/options.h"
#include "names.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  const GstStructure *parameters; /* all inputs but the picture and the request id; may be NULL */
  const gchar *image_field;       /* dotted name, "input.image" */
  FalImageEncoding image_encoding;
  GBytes *image;           /* may be NULL: a request without a picture */
  const gchar *media_type; /* of @image: "image/jpeg" */
  const gchar *request_id; /* NULL: none is sent */
  FalMessageEncoding encoding;
} FalRequest;

/* The request as the payload of one binary WebSocket message. Errors: G_IO_ERROR_INVALID_ARGUMENT,
 * whose message names the parameter that cannot be sent, or image-field, where that has too many
 * names. */
GBytes *fal_protocol_encode_request (const FalRequest *request, GError **error);

typedef enum {
  FAL_REPLY_RESULT,       /* pictures, or a map that may be a result without one */
  FAL_REPLY_TIMINGS,      /* @inference belongs to the result just before */
  FAL_REPLY_READY,        /* the app may be sent its first request */
  FAL_REPLY_IDLE,         /* no input came for a while: the server closes with 1000, as usual */
  FAL_REPLY_FAILED,       /* @error, @reason: input, model or session failed */
  FAL_REPLY_UNAUTHORIZED, /* the token is of no use any more */
  FAL_REPLY_WEBRTC,       /* the app expects WebRTC instead of messages with pictures */
  FAL_REPLY_OTHER,        /* says nothing that is known, to be ignored */
  FAL_REPLY_UNREADABLE,   /* nobody can read it */
} FalReplyType;

/* A picture of a reply: its bytes, or a link to it (http or https). One of the two is NULL. */
typedef struct {
  GBytes *bytes;
  gchar *link;
} FalImage;

typedef struct {
  FalReplyType type;
  GPtrArray *images;       /* FalImage, in order; never NULL */
  gboolean names_pictures; /* the field of the pictures is there, even where it holds none, or
                              another one holds what looks like a picture */
  gchar *request_id;       /* as text, even where it came as a number; or NULL */
  gdouble inference;       /* the model's time in seconds; negative where the reply does not say */
  gchar *error;            /* the error's name or message; or NULL */
  gchar *reason;           /* more about the error; or NULL */
  GstStructure *fields; /* all of the message but its pictures and id; NULL: the message is one */
  guint64 dropped;      /* fields that were left out of it, see names.h */
  gsize fields_size;    /* the memory that @fields take beside the message's own size, about */
  gsize size; /* of the message, as whoever received it has noted; its pictures may be parts
                 of it, and keep it in memory */
} FalReply;

void fal_reply_free (FalReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalReply, fal_reply_free)

/* Parses one message of the server. @text: whether it is a text message. @result_field: where the
 * pictures are ("images[*].content"); NULL or "auto": in the usual fields. A picture may be bytes,
 * a data URI or plain base64; a binary message that begins like a picture file is one. @names: what
 * this peer may name; NULL: anything. Errors: G_IO_ERROR_INVALID_DATA, G_IO_ERROR_INVALID_ARGUMENT
 * (@result_field cannot be parsed). */
FalReply *fal_protocol_parse_reply (
    GBytes *message, gboolean text, const gchar *result_field, FalNames *names, GError **error);

/* The same for a message that the application has decoded to @map, which is taken. */
FalReply *fal_protocol_read_reply (GstStructure *map, const gchar *result_field, GError **error);

/* The reply UNREADABLE for a message that could not be parsed: it has no more than the id, where
 * one can still be made out. */
FalReply *fal_protocol_make_unreadable (GBytes *message);

G_END_DECLS
