/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which addresses belong to the public internet. Pure and thread safe. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether @address is one of the public internet: not of this machine, of a local or private
 * network, of a group of hosts, or reserved, also where IPv6 only wraps such an IPv4 address. */
gboolean fal_address_is_public (GInetAddress *address);

G_END_DECLS
