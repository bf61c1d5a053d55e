/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which addresses are taken for those of the public internet: the first and the last of each range,
 * and their neighbours. */
#include "fal/net/public-address.h"

static const gchar *const public[] = {
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "192.0.3.0",
  "192.88.98.255",
  "192.88.100.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "198.51.99.255",
  "198.51.101.0",
  "203.0.112.255",
  "203.0.114.0",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00:1450:4001:80e::200e",
  "2001:4860:4860::8888",
  "2001:200::1",
  "2001:db7:ffff::1",
  "2001:db9::1",
  "3ffe:ffff::1",
  "64:ff9b::8.8.8.8",
  "::ffff:8.8.8.8",
  "::8.8.8.8",
  "::ffff:0:8.8.8.8",
  "2002:808:808::1",
  "2001:0:808:808:0:0:f7f7:f7f7",
  "2a00::200:5efe:808:808",
  /* nearly an address within a site */
  "2a00::100:5efe:c0a8:1",
  "2a00::1:5efe:c0a8:1",
  "2a00::5ffe:c0a8:1",
  "2a00::5eff:c0a8:1",
};

static const gchar *const not_public[] = {
  "0.0.0.0",
  "0.255.255.255",
  "10.0.0.0",
  "10.255.255.255",
  "100.64.0.0",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.0.0",
  "169.254.169.254",
  "169.254.255.255",
  "172.16.0.0",
  "172.31.255.255",
  "192.0.0.0",
  "192.0.0.255",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.0",
  "192.168.255.255",
  "198.18.0.0",
  "198.19.255.255",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::2",
  "fc00::1",
  "fdff::1",
  "fe80::1",
  "febf::1",
  "fec0::1",
  "feff::1",
  "ff00::1",
  "ff02::1",
  "ffff::1",
  "100::1",
  "2001:db8::1",
  "2001:2::1",
  "2001:10::1",
  "2001:1ff::1",
  "3fff::1",
  "3fff:fff:ffff::1",
  "4000::1",
  "5f00::1",
  "1fff::1",
  "::127.0.0.1",
  "::10.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:169.254.169.254",
  "::ffff:0.0.0.0",
  "::ffff:0:192.168.0.1",
  "64:ff9b::10.0.0.1",
  "64:ff9b::127.0.0.1",
  "64:ff9b:1::8.8.8.8",
  "2002:7f00:1::1",
  "2002:c0a8:1::1",
  "2002:a9fe:a9fe::1",
  "2001:0:808:808:0:0:80ff:fffe",
  "2001:0:7f00:1:0:0:f7f7:f7f7",
  "2a00::5efe:c0a8:1",
  "2a00::200:5efe:7f00:1",
};

static gboolean
is_public (const gchar *text)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  g_test_message ("%s", text);
  g_assert_nonnull (address);
  return fal_address_is_public (address);
}

static void
test_public_addresses_are_public (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (public); i++)
    g_assert_true (is_public (public[i]));
}

static void
test_other_addresses_are_not (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (not_public); i++)
    g_assert_false (is_public (not_public[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/public-address/public", test_public_addresses_are_public);
  g_test_add_func ("/public-address/not-public", test_other_addresses_are_not);
  return g_test_run ();
}
