/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A page in somebody's browser: one WebSocket "/live". Nothing waits for a page that is slow: it
 * gets the next picture of a kind once it has shown the one before. Main thread. */
#pragma once

#include "orders.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _LiveTab LiveTab;

typedef struct {
  void (*on_order) (gpointer user, const LiveOrder *order);
  void (*on_wanted) (gpointer user, LivePicture picture); /* a picture, since the last was shown */
  void (*on_closed) (gpointer user, LiveTab *tab);        /* it may be freed */
} LiveTabEvents;

LiveTab *live_tab_new (SoupWebsocketConnection *socket, const LiveTabEvents *events, gpointer user);
/* Closes it where it is open. */
void live_tab_free (LiveTab *tab);

/* Sends it where it is wanted: not before the page has shown the last one. */
void live_tab_show (LiveTab *tab, LivePicture picture, GBytes *jpeg);
void live_tab_send (LiveTab *tab, const gchar *json);
/* Whether the page took nothing of what was sent at the last LIVE_TAB_PATIENCE looks, of which this
 * is one: what it does not take stays here, without a bound. */
gboolean live_tab_is_stuck (LiveTab *tab);
#define LIVE_TAB_PATIENCE 25

G_END_DECLS
