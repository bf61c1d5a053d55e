/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The provision: a question between the net thread and whoever has tokens. The lock makes sure that
 * an answer meets either an asker or nobody. */
#include "provision.h"

struct _FalProvision {
  gchar *scope;

  GMutex lock;
  /* Lock; NULL: it was answered, or nobody waits any more. Not held longer: who asked may be gone,
   * and its context with it. */
  GMainContext *context;
  gchar *token; /* of the answer, set once */

  FalProvisionAnswered answered; /* net thread; NULL: nobody waits any more */
  gpointer user;
};

FalProvision *
fal_provision_new (
    const gchar *scope, GMainContext *context, FalProvisionAnswered answered, gpointer user)
{
  FalProvision *provision = g_atomic_rc_box_new0 (FalProvision);

  provision->scope = g_strdup (scope);
  provision->context = g_main_context_ref (context);
  provision->answered = answered;
  provision->user = user;
  g_mutex_init (&provision->lock);
  return provision;
}

FalProvision *
fal_provision_ref (FalProvision *provision)
{
  return g_atomic_rc_box_acquire (provision);
}

static void
provision_clear (gpointer data)
{
  FalProvision *provision = data;

  g_free (provision->scope);
  g_free (provision->token);
  g_clear_pointer (&provision->context, g_main_context_unref);
  g_mutex_clear (&provision->lock);
}

void
fal_provision_unref (FalProvision *provision)
{
  g_atomic_rc_box_release_full (provision, provision_clear);
}

const gchar *
fal_provision_get_scope (const FalProvision *provision)
{
  return provision->scope;
}

static gboolean
hand_over (gpointer data)
{
  FalProvision *provision = data;
  FalProvisionAnswered answered = provision->answered;

  provision->answered = NULL;
  if (answered)
    answered (provision->user, provision->token);
  return G_SOURCE_REMOVE;
}

void
fal_provision_answer (FalProvision *provision, const gchar *token)
{
  GSource *source;

  g_mutex_lock (&provision->lock);
  if (provision->context != NULL) {
    provision->token = g_strdup (token);
    source = g_idle_source_new ();
    g_source_set_priority (source, G_PRIORITY_DEFAULT);
    g_source_set_callback (
        source, hand_over, fal_provision_ref (provision), (GDestroyNotify) fal_provision_unref);
    g_source_attach (source, provision->context);
    g_source_unref (source); /* before the context, which GLib's unref of a source still looks at */
    g_clear_pointer (&provision->context, g_main_context_unref);
  }
  g_mutex_unlock (&provision->lock);
}

void
fal_provision_cancel (FalProvision *provision)
{
  g_mutex_lock (&provision->lock);
  g_clear_pointer (&provision->context, g_main_context_unref);
  g_mutex_unlock (&provision->lock);
  provision->answered = NULL;
}
