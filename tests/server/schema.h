/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How requests and results of a known app look on the wire: a row of a table. Fixed; any thread. */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define FAL_SCHEMA_INPUTS 4

/* The forms that an image field may have. */
typedef enum {
  FAL_FORM_BYTES = 1 << 0,
  FAL_FORM_DATA_URI = 1 << 1,
  FAL_FORM_BASE64 = 1 << 2,
  FAL_FORM_TEXT = FAL_FORM_DATA_URI | FAL_FORM_BASE64,
  FAL_FORM_ANY = FAL_FORM_BYTES | FAL_FORM_TEXT,
} FalForms;

typedef enum {
  FAL_SCHEMA_RESULT_IMAGES, /* {images: [{…}], timings, seed, …} */
  FAL_SCHEMA_RESULT_IMAGE,  /* {image: {…}} */
  FAL_SCHEMA_RESULT_BYTES,  /* {image: bytes, timings, seed} */
  FAL_SCHEMA_RESULT_RAW,    /* the picture's bytes alone */
} FalSchemaResult;

/* What a connection's requests have to do with one another. */
typedef enum {
  FAL_SEQUENCE_NONE,
  FAL_SEQUENCE_PORTRAIT, /* a picture that begins, then the last result's state */
  FAL_SEQUENCE_FRAMES,   /* start_frame, then image */
} FalSequence;

typedef struct {
  const gchar *name;
  FalForms forms;
} FalSchemaInput;

typedef struct {
  const gchar *name;
  FalSchemaInput inputs[FAL_SCHEMA_INPUTS]; /* where the image is looked for, in this order */
  const gchar *const *fields;               /* the others that it knows; NULL: whatever comes */
  gboolean needs_image; /* else a prompt alone is answered with a picture as well */
  const gchar *output;  /* the field of a picture in the result */
  FalSchemaResult kind;
  FalSequence sequence;
  guint block;           /* frames that are taken before as many results come at once; 0: each */
  guint first_block;     /* the same, of a connection's first; the frame that opens it has none */
  gboolean echoes;       /* request_id */
  gboolean ready;        /* says so first */
  gboolean waits;        /* for nobody to speak before that */
  gboolean json;         /* JSON bytes in place of msgpack, both ways */
  gboolean cutout;       /* the result has an alpha channel */
  gboolean interpolates; /* knows enable_interpolation */
  gboolean links;        /* its result is an https URL where sync_mode is not set */
} FalSchema;

/* NULL where there is none of that name. */
const FalSchema *fal_schema_find (const gchar *name);
/* "turbo, lcm, …"; free with g_free(). */
gchar *fal_schema_dup_names (void);

/* A client's message by the schema's codec. */
GstStructure *fal_schema_decode (const FalSchema *schema, GBytes *message, GError **error);
/* Whether @field may stand in a request at all. */
gboolean fal_schema_knows (const FalSchema *schema, const gchar *field);

G_END_DECLS
