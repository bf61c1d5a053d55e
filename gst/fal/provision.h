/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A token that somebody else is to give: asked for on the net thread, answered at any time on any
 * thread. Nobody waits for it: who asked may be gone by then. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FalProvision FalProvision;

/* On the net thread, in whose @context @answered is called, once, unless cancelled before. @token
 * (NULL: there is none) is borrowed. */
typedef void (*FalProvisionAnswered) (gpointer user, const gchar *token);

/* @scope: what the token is for, "owner/alias/realtime". */
FalProvision *fal_provision_new (
    const gchar *scope, GMainContext *context, FalProvisionAnswered answered, gpointer user);
FalProvision *fal_provision_ref (FalProvision *provision);
void fal_provision_unref (FalProvision *provision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalProvision, fal_provision_unref)

const gchar *fal_provision_get_scope (const FalProvision *provision);

/* Any thread. @token is copied; only the first answer counts. */
void fal_provision_answer (FalProvision *provision, const gchar *token);

/* On the net thread: nobody waits for the answer any more. */
void fal_provision_cancel (FalProvision *provision);

G_END_DECLS
