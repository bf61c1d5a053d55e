/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From where a picture may be fetched: names of hosts, and addresses that are everybody's.
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
gboolean fal_hosts_allow (const gchar *list, const gchar *uri, GError **error);

/* Whether @address is one of the public internet: not of this machine, of a local or private
 * network, of a group of hosts, or reserved, also where IPv6 only wraps such an IPv4 address. */
gboolean fal_hosts_is_public (GInetAddress *address);

G_END_DECLS
