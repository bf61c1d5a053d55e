/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A peer that misbehaves: a listener on loopback that does HTTP and WebSocket by hand and plays
 * a script, byte by byte.
 *
 * It runs in threads of its own, one for each connection; every function may be called from any
 * thread. Whatever it is at, peer_free() ends it at once. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  PEER_END,     /* of the script: reads until the client goes */
  PEER_HTTP,    /* reads a whole HTTP request */
  PEER_UPGRADE, /* the same, and answers 101 as it should be */
  PEER_SEND,    /* bytes as they are */
  PEER_FRAME,   /* a WebSocket frame with opcode n */
  PEER_AWAIT,   /* reads a whole request */
  PEER_ANSWER,  /* sends a result for request n of this connection, counted from 0 */
  PEER_CLOSE,   /* a close frame with code n; 0: with none */
  PEER_CUT,     /* FIN */
  PEER_RESET,   /* RST */
  PEER_STALL,   /* reads and says nothing more */
  PEER_LINGER,  /* reads until the client says goodbye, or goes, and stays */
  PEER_SERVE,   /* behaves from here on */
  PEER_NEXT,    /* what follows is for the next connection */
} PeerAct;

typedef struct {
  PeerAct act;
  guint n;
  /* What is sent; in an answer the request id: NULL the one asked with, "" none. */
  const gchar *bytes;
  gsize size;    /* of bytes, 0: a string; without bytes: of a filling of zeros */
  guint times;   /* 0: once */
  guint pause;   /* µs after each time; in an answer, after each byte */
  gboolean more; /* in a frame: FIN is not set */
  guint images;  /* in an answer; 0: one */
} PeerStep;

#define SCRIPT(...) ((const PeerStep[]){ __VA_ARGS__, { PEER_END } })
/* A string of bytes that may hold zeros. */
#define BYTES(text) .bytes = text, .size = sizeof (text) - 1
#define FOR_EVER G_MAXUINT

typedef enum {
  PEER_DOOR_OPEN,
  PEER_DOOR_CLOSED,  /* refuses connections */
  PEER_DOOR_CLOGGED, /* attempts to connect are swallowed */
} PeerDoor;

typedef struct {
  PeerDoor door;
  const PeerStep *script; /* NULL: behaves. Must live as long as the peer */
  gboolean for_ever; /* the last connection's part is for all that follow; else they are served */
  GBytes *picture;   /* of an answer, and of its content type; NULL: the request's own */
} PeerConfig;

typedef struct _Peer Peer;

Peer *peer_new (const PeerConfig *config);
void peer_free (Peer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peer, peer_free)

guint peer_get_port (Peer *peer);
guint peer_get_connections (Peer *peer); /* accepted so far */
guint peer_get_open (Peer *peer);        /* those that did not come to their end */
/* Whether a connection got to PEER_STALL, PEER_SERVE. */
gboolean peer_is_stalled (Peer *peer);
gboolean peer_is_serving (Peer *peer);
/* The HTTP requests so far, without bodies. */
gchar *peer_dup_requests (Peer *peer);
/* When the connection was accepted, monotonic µs. */
gint64 peer_get_time (Peer *peer, guint connection);

/* Goes: cuts every connection and refuses new ones; comes back at the same port. */
void peer_leave (Peer *peer);
void peer_return (Peer *peer);

G_END_DECLS
