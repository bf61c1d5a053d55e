/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A page as the tests play it: its WebSocket, and what it was told last. In the calling thread's
 * main context, which FAL_WAIT_UNTIL() runs. */
#pragma once

#include "fal/wire/value.h"
#include "orders.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct {
  SoupSession *session;
  SoupWebsocketConnection *socket; /* NULL: not connected yet */
  gboolean closed;
  gushort code;        /* that it was closed with */
  GstStructure *state; /* the last message of its type; NULL: none came */
  GstStructure *sample;
  guint samples, taken; /* messages of that type */
  guint sent;           /* pictures of a camera */
  guint pictures[LIVE_N_PICTURES];
  GBytes *picture[LIVE_N_PICTURES]; /* the last one */
  gboolean shows;                   /* says that it has shown each picture */
  GString *notices;                 /* a line each: level and text */
  GString *texts;                   /* all that came as text */
} PageClient;

/* @path: "/live" or "/camera". Returns when the socket is open. */
PageClient *page_client_new (const gchar *uri, const gchar *path);
void page_client_free (PageClient *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PageClient, page_client_free)

void page_client_send (PageClient *page, const gchar *json);
void page_client_send_picture (PageClient *page, GBytes *jpeg);

/* A value as text; NULL where there is none, or it is null. Free with g_free(). */
gchar *page_client_to_text (const GValue *value);
/* Of the state: "settings.prompt" and so on. */
gchar *page_client_dup_state (const PageClient *page, const gchar *path);
gboolean page_client_has_state (const PageClient *page, const gchar *path, const gchar *value);
/* Of the sample: "counters.sent" and so on; 0 where none has come yet. */
guint64 page_client_get_count (const PageClient *page, const gchar *path);

G_END_DECLS
