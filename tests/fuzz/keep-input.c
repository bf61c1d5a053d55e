/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For every target: GLib ends a program over a CRITICAL by SIGTRAP, which libFuzzer does not know,
 * so that the input would be lost. It knows SIGABRT. */
#include <signal.h>
#include <stdlib.h>

static void
on_trap (int number)
{
  abort ();
}

__attribute__ ((constructor)) static void
turn_traps_into_aborts (void)
{
  signal (SIGTRAP, on_trap);
}
