/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From which hosts a picture may be downloaded.
 *
 * Pure and thread safe. A link may hold a signature: of it, errors name the host alone. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether @uri is an https link to a host that @list names, without user or password.
 *
 * @list: comma separated, case-insensitive, spaces around a name ignored; NULL or "": none.
 *   "v3.fal.media"     this very name
 *   "*.fal.media"      any name below it, at any depth, but not fal.media itself
 *   "*"                any name
 *   "203.0.113.7", "[2001:db8::7]"  this very address; no other entry stands for an address
 * each at port 443, or with ":8443" behind it at that port alone. Other uses of "*" stand for
 * nothing; names beyond ASCII are written as they travel ("xn--…").
 *
 * Error: G_IO_ERROR_NOT_SUPPORTED, saying what to do. */
gboolean fal_host_list_allows (const gchar *list, const gchar *uri, GError **error);

/* The link that a redirect to @location leads to from the link @from, not yet looked up in a list.
 * NULL: it is no address of a host. */
gchar *fal_host_list_follow (GUri *from, const gchar *location);

G_END_DECLS
