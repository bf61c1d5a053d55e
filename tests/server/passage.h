/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client's way through the proxy: its request's head, the link to its target, and the bytes
 * that go both ways. Lives in the proxy's thread and main context. */
#pragma once

#include "proxy.h"

G_BEGIN_DECLS

typedef enum {
  FAL_PASSAGE_REFUSED, /* credentials are missing or wrong */
  FAL_PASSAGE_ASKED,   /* for a target, with the right credentials */
  FAL_PASSAGE_TUNNEL,  /* made */
  FAL_PASSAGE_FORWARD, /* a plain request was passed on */
  FAL_PASSAGE_GONE,    /* both ends are closed; comes once, the passage may be freed */
} FalPassageEvent;

typedef struct {
  const gchar *authorization; /* what Proxy-Authorization must be; NULL: anything */
  const gchar *route;         /* as FalProxyOptions has it */
  FalProxyMode mode;
  guint64 bytes;
} FalPassageRules;

typedef struct _FalPassage FalPassage;
typedef void (*FalPassageTold) (
    gpointer user, FalPassage *passage, FalPassageEvent event, const gchar *target);

/* The strings of @rules must live longer. */
FalPassage *fal_passage_new (
    GSocketConnection *client, const FalPassageRules *rules, FalPassageTold told, gpointer user);
/* Cuts both ends where they are still open; nothing is told any more. */
void fal_passage_free (FalPassage *passage);

G_END_DECLS
