/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One body for the tests against the misbehaving peer: a row says what the peer does and what
 * must come of it, the body asserts that and all that must always hold. */
#pragma once

#include "scripted-peer.h"
#include "invariants.h"

G_BEGIN_DECLS

typedef struct {
  GQuark (*domain) (void); /* NULL: no such message */
  gint code;
  const gchar *text; /* stands in the message */
} Expected;

#define RESOURCE(code, text)                                                                       \
  {                                                                                                \
    gst_resource_error_quark, GST_RESOURCE_ERROR_##code, text                                      \
  }
#define STREAM(code, text)                                                                         \
  {                                                                                                \
    gst_stream_error_quark, GST_STREAM_ERROR_##code, text                                          \
  }

/* Frames are pushed until results come from where the script ends in PEER_SERVE or from a
 * connection after it; or until @error came; or @frames were pushed; or the peer stalls, and
 * then @replaced frames took each other's place because nothing can be sent any more. */
typedef struct {
  const gchar *name;
  const PeerStep *script;
  gboolean for_ever;
  PeerDoor door;
  const gchar *properties;
  gboolean fetches_token; /* else it has one */
  Expected outage;        /* the one WARNING about it, with details */
  Expected remark;        /* WARNINGs about single frames, one a second at most */
  gboolean may_remark;    /* or none: where the next frame comes later than the connection ends */
  Expected error;         /* the one ERROR, and the end */
  guint frames;
  gboolean until_stall;
  guint replaced;                               /* with until_stall */
  gint width, height;                           /* of what is pushed; 0: FRAME_SIZE */
  GBytes *(*picture) (void);                    /* of the script's answers */
  const gchar *picture_size;                    /* "WxH" of a result that must come out of it */
  guint connections;                            /* that the peer must have seen; 0: any number */
  const gchar *never;                           /* stands in no HTTP request */
  void (*check) (Fixture *fixture, Peer *peer); /* at the end */
} FaultRow;

void fault_table_add (const gchar *theme, const FaultRow *rows, guint count);
#define FAULT_TABLE_ADD(theme, rows) fault_table_add (theme, rows, G_N_ELEMENTS (rows))

G_END_DECLS
