/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A resolver that says what a test wants to hear. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define FAKE_TYPE_RESOLVER (fake_resolver_get_type ())
G_DECLARE_FINAL_TYPE (FakeResolver, fake_resolver, FAKE, RESOLVER, GResolver)

struct _FakeResolver {
  GResolver parent;
  /* IPv4 addresses of all names, comma separated, at the first lookup and after it; "hang" says
   * nothing until the lookup is cancelled. But private.fal.media is always 127.0.0.2. */
  const gchar *first, *later;
  guint lookups; /* of IPv4 addresses; there are no others */
};

/* It says 127.0.0.1. */
FakeResolver *fake_resolver_new (void);

G_END_DECLS
