/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least program: can it be built and run for that machine? */
int
main (void)
{
  return 0;
}
