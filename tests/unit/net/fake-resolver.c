/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-resolver.h"

#include <string.h>

G_DEFINE_FINAL_TYPE (FakeResolver, fake_resolver, G_TYPE_RESOLVER)

static gboolean
on_cancelled (GCancellable *cancellable, gpointer task)
{
  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

/* As GLib's own resolver, whose thread goes on. The source holds the task. */
static void
hang (GTask *task)
{
  g_autoptr (GSource) source = g_cancellable_source_new (g_task_get_cancellable (task));

  g_task_attach_source (task, source, G_SOURCE_FUNC (on_cancelled));
}

static void
return_addresses (GTask *task, const gchar *text)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  GList *list = NULL;

  for (guint i = 0; words[i] != NULL; i++)
    list = g_list_append (list, g_inet_address_new_from_string (words[i]));
  g_task_return_pointer (task, list, (GDestroyNotify) g_resolver_free_addresses);
}

static void
fake_resolver_lookup_async (GResolver *resolver, const gchar *name, GResolverNameLookupFlags flags,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  FakeResolver *fake = FAKE_RESOLVER (resolver);
  g_autoptr (GTask) task = g_task_new (resolver, cancellable, callback, user);
  const gchar *text;

  if (flags & G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY) {
    g_task_return_new_error (
        task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "it has no such address");
    return;
  }
  text = fake->lookups++ == 0 ? fake->first : fake->later;
  if (strcmp (text, "hang") == 0)
    hang (task);
  else
    return_addresses (task, strcmp (name, "private.fal.media") == 0 ? "127.0.0.2" : text);
}

static void
fake_resolver_lookup_any_async (GResolver *resolver, const gchar *name, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user)
{
  fake_resolver_lookup_async (
      resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, callback, user);
}

static GList *
fake_resolver_lookup_finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fake_resolver_class_init (FakeResolverClass *class)
{
  GResolverClass *resolver = G_RESOLVER_CLASS (class);

  resolver->lookup_by_name_async = fake_resolver_lookup_any_async;
  resolver->lookup_by_name_finish = fake_resolver_lookup_finish;
  resolver->lookup_by_name_with_flags_async = fake_resolver_lookup_async;
  resolver->lookup_by_name_with_flags_finish = fake_resolver_lookup_finish;
}

static void
fake_resolver_init (FakeResolver *fake)
{
  fake->first = fake->later = "127.0.0.1";
}

FakeResolver *
fake_resolver_new (void)
{
  return g_object_new (FAKE_TYPE_RESOLVER, NULL);
}
