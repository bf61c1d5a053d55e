/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user can choose: enumerations and plain structures. Includes nothing of ours, so that
 * every floor may include it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most that max-buffering takes: fal's limit. */
#define FAL_MAX_BUFFERING 60

typedef enum {
  FAL_AUTH_AUTO, /* token, else the provider's, else one requested with the key, else none */
  FAL_AUTH_TOKEN,
  FAL_AUTH_KEY_HEADER,
  FAL_AUTH_KEY_QUERY, /* the two halves of the API key in the address: older apps */
  FAL_AUTH_NONE,
} FalAuth;

/* Where an API key came from, for messages about it. */
typedef enum {
  FAL_KEY_FROM_PROPERTY, /* api-key */
  FAL_KEY_FROM_FILE,     /* api-key-file */
  FAL_KEY_FROM_FAL_KEY,  /* the environment's FAL_KEY */
  FAL_KEY_FROM_PAIR,     /* the environment's FAL_KEY_ID and FAL_KEY_SECRET */
} FalKeyOrigin;

/* Which of the three bodies that are in use asks for a token. */
typedef enum {
  FAL_TOKEN_REQUEST_ALIAS, /* {"allowed_apps":["alias"],"token_expiration":120} */
  FAL_TOKEN_REQUEST_PATH,  /* {"allowed_apps":["owner/alias/realtime"],"duration":120} */
  FAL_TOKEN_REQUEST_APP,   /* {"app":"owner/alias/sub","duration":120} */
} FalTokenRequest;

/* How the picture stands in the request. */
typedef enum {
  FAL_IMAGE_ENCODING_AUTO, /* resolved by the endpoint's preset before it gets here */
  FAL_IMAGE_ENCODING_BYTES,
  FAL_IMAGE_ENCODING_DATA_URI,
  FAL_IMAGE_ENCODING_BASE64,
} FalImageEncoding;

/* How the request stands in its binary frame. */
typedef enum {
  FAL_MESSAGE_ENCODING_MSGPACK,
  FAL_MESSAGE_ENCODING_JSON,
} FalMessageEncoding;

typedef enum {
  FAL_FIT_CROP,      /* fill the size, cut what is over, centred */
  FAL_FIT_LETTERBOX, /* the whole picture, black bars */
  FAL_FIT_STRETCH,
} FalFit;

typedef struct {
  guint width, height; /* of the JPEG; 0: as it comes (with one of them 0: by the aspect ratio) */
  FalFit fit;
  guint quality; /* 1 to 100 */
} FalEncoderConfig;

typedef enum {
  FAL_TIMESTAMP_MODE_AUTO,    /* arrival in a live pipeline without latency, else input */
  FAL_TIMESTAMP_MODE_INPUT,   /* those of the frame that a result answers */
  FAL_TIMESTAMP_MODE_ARRIVAL, /* when the result came: never too late for a sink */
} FalTimestampMode;

/* What is shown while no result comes. */
typedef enum {
  FAL_FALLBACK_NONE,        /* nothing: a GAP event tells downstream not to wait */
  FAL_FALLBACK_LAST,        /* the last result; black before the first one */
  FAL_FALLBACK_PASSTHROUGH, /* the frames themselves */
  FAL_FALLBACK_BLACK,
} FalFallbackMode;

typedef enum {
  FAL_LEAKY_AUTO, /* by the LATENCY query: old frames drop in a live pipeline */
  FAL_LEAKY_NO,
  FAL_LEAKY_DOWNSTREAM, /* old frames drop, as in queue */
} FalLeaky;

typedef enum {
  FAL_REQUEST_ID_AUTO, /* sent, but to an app that is known not to echo it */
  FAL_REQUEST_ID_ALWAYS,
  FAL_REQUEST_ID_NEVER,
} FalRequestId;

G_END_DECLS
