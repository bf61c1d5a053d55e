/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user can choose: enumerations and plain structures. It includes no other header of the
 * project, so that any of them may include it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most that max-buffering takes: fal's limit. */
#define FAL_MAX_BUFFERING 60
/* The most that block-size takes: ten seconds of frames. */
#define FAL_MAX_BLOCK_SIZE 120
/* The most that connections takes. */
#define FAL_MAX_CONNECTIONS 16

typedef struct {
  gint n, d;
} FalFraction;

/* A rectangle in pixels. */
typedef struct {
  gint x, y, width, height;
} FalArea;

typedef enum {
  FAL_AUTH_AUTO, /* the token; else the provider's; else one requested with the key; else none */
  FAL_AUTH_TOKEN,
  FAL_AUTH_KEY_HEADER,
  FAL_AUTH_KEY_QUERY, /* the two halves of the API key in the URL's query, for older apps */
  FAL_AUTH_NONE,
} FalAuth;

/* Where an API key came from, for messages about it. */
typedef enum {
  FAL_KEY_FROM_PROPERTY, /* api-key */
  FAL_KEY_FROM_FILE,     /* api-key-file */
  FAL_KEY_FROM_FAL_KEY,  /* the environment's FAL_KEY */
  FAL_KEY_FROM_PAIR,     /* the environment's FAL_KEY_ID and FAL_KEY_SECRET */
} FalKeyOrigin;

/* Which of three forms of body a token request has. */
typedef enum {
  FAL_TOKEN_REQUEST_ALIAS, /* {"allowed_apps":["alias"],"token_expiration":120} */
  FAL_TOKEN_REQUEST_PATH,  /* {"allowed_apps":["owner/alias/realtime"],"duration":120} */
  FAL_TOKEN_REQUEST_APP,   /* {"app":"owner/alias/sub","duration":120} */
} FalTokenRequest;

/* How the picture is written in a request. */
typedef enum {
  FAL_IMAGE_ENCODING_AUTO, /* as the app profile says; see fal_settings_get_request() */
  FAL_IMAGE_ENCODING_BYTES,
  FAL_IMAGE_ENCODING_DATA_URI,
  FAL_IMAGE_ENCODING_BASE64,
} FalImageEncoding;

/* How a request is written in its binary WebSocket message. */
typedef enum {
  FAL_MESSAGE_ENCODING_MSGPACK,
  FAL_MESSAGE_ENCODING_JSON,
} FalMessageEncoding;

typedef enum {
  FAL_FIT_CROP,      /* fill the size and cut what is beyond it, centred */
  FAL_FIT_LETTERBOX, /* the whole picture between black bars */
  FAL_FIT_STRETCH,
} FalFit;

typedef struct {
  guint width, height; /* of the JPEG, in pixels; both 0: the frame's; one 0: by the aspect ratio */
  FalFit fit;
  guint quality;      /* 1 to 100 */
  guint par_n, par_d; /* its pixel aspect ratio where both sides are set; 0/0: as fit has it */
  FalArea part; /* of the frame that is encoded, in its pixels; without a size: all of it, and one
                   that is a picture already stays as it is */
} FalEncoderConfig;

/* What becomes of a frame that has no region to be sent. */
typedef enum {
  FAL_REGION_ABSENT_PASS,  /* it goes out as it is, in its place among the results */
  FAL_REGION_ABSENT_HOLD,  /* it is not sent, and the last result stands */
  FAL_REGION_ABSENT_WHOLE, /* all of it is sent */
} FalRegionAbsent;

typedef enum {
  FAL_TIMESTAMP_MODE_AUTO,    /* arrival in a live pipeline without latency, else input */
  FAL_TIMESTAMP_MODE_INPUT,   /* the timestamps of the frame that a result answers */
  FAL_TIMESTAMP_MODE_ARRIVAL, /* that of a frame that arrives as the result does, which is never too
                                 late for a sink; but not before that of its own frame */
} FalTimestampMode;

/* Where the time comes from that a result may take. */
typedef enum {
  FAL_LATENCY_MODE_FIXED, /* latency says it */
  FAL_LATENCY_MODE_AUTO,  /* in a live pipeline it is found from what results take */
} FalLatencyMode;

/* What is shown while no result comes, where frames drop. */
typedef enum {
  FAL_FALLBACK_NONE,        /* nothing: a GAP event tells downstream not to wait */
  FAL_FALLBACK_LAST,        /* the last result; black before the first one */
  FAL_FALLBACK_PASSTHROUGH, /* the frames themselves */
  FAL_FALLBACK_BLACK,
} FalFallbackMode;

/* What goes out where a result came: the result alone, or laid on the frame that it answers. */
typedef enum {
  FAL_COMPOSITE_NONE,
  FAL_COMPOSITE_OVER,       /* the result over its region of the frame */
  FAL_COMPOSITE_MATTE,      /* the frame with the result as its alpha */
  FAL_COMPOSITE_MATTE_OVER, /* that over a background */
} FalCompositeMode;

/* What is seen where a matte lets nothing of the frame through. */
typedef struct {
  gboolean blur; /* the frame itself, blurred; else a colour */
  guint32 argb;  /* the colour; its alpha is not used */
} FalBackground;

typedef struct {
  FalCompositeMode mode;
  guint feather; /* pixels of the frame over which the edge of a region gets softer, in OVER */
  FalFit fit;    /* of a result whose shape is not that of what was sent */
  FalBackground background;
} FalOverlayConfig;

/* How one picture follows another at a constant rate above that of the results. */
typedef enum {
  FAL_TRANSITION_CUT,
  FAL_TRANSITION_FADE, /* the newer one fades in over the time between the two */
} FalTransition;

/* Which frames come out, where results are laid on them. */
typedef enum {
  FAL_COMPOSITE_FRAMES_RESULTS, /* those that have a result */
  FAL_COMPOSITE_FRAMES_ALL,     /* each; one without a result with those beside it */
} FalCompositeFrames;

typedef enum {
  FAL_LEAKY_AUTO, /* old frames drop in a live pipeline, which the LATENCY query tells */
  FAL_LEAKY_NO,
  FAL_LEAKY_DOWNSTREAM, /* old frames drop, as in queue */
} FalLeaky;

typedef enum {
  FAL_REQUEST_ID_AUTO, /* sent, except to an app that is known not to echo it */
  FAL_REQUEST_ID_ALWAYS,
  FAL_REQUEST_ID_NEVER,
} FalRequestId;

G_END_DECLS
