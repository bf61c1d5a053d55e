"""What binutils tell of a shared library: which symbols it offers, and how it is hardened; and what the plugin's is
to be, wherever it comes from."""
import os
import re
import shlex
import subprocess

# GStreamer looks for these two; an application that links the plugin calls the second one.
PLUGIN = {"gst_plugin_fal_get_desc", "gst_plugin_fal_register"}
LANGUAGE_FLAGS = ("CPPFLAGS", "CFLAGS", "LDFLAGS")
FOLDER = os.path.dirname(os.path.abspath(__file__))


def tell(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def list_exports(library):
    """The names that whoever loads it may use."""
    return {line.split()[-1] for line in tell("nm", "-D", "--defined-only", library).splitlines()}


def list_lacks(library, flags=""):
    """What it lacks of Debian's hardening; that against jumps is wanted where the flags of the release are for it."""
    told = tell("readelf", "--wide", "--program-headers", "--dynamic", "--notes", "--dyn-syms", library)
    has = {
        "RELRO": r"GNU_RELRO",
        "BIND_NOW": r"\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW",
        "stack protector": r"UND __stack_chk_fail\b",
        "fortified functions": r"UND __(?!stack_)\w+_chk\b",
        "a stack that holds no code": r"GNU_STACK.* RW ",
    }
    if "-fcf-protection" in flags:
        has["CET"] = r"x86 feature: IBT, SHSTK"
    if "-mbranch-protection" in flags:
        has["BTI and PAC"] = r"AArch64 feature: BTI, PAC"
    lacks = {name for name, pattern in has.items() if not re.search(pattern, told)}
    if re.search(r"TEXTREL", told):
        lacks.add("code without relocations")
    if re.search(r"LOAD.* RWE ", told):
        lacks.add("code that cannot be written")
    return lacks


def get_flags(source):
    """Those that Debian's packages are built with here, all hardening on."""
    env = dict(os.environ, DEB_BUILD_MAINT_OPTIONS="hardening=+all")
    for name in LANGUAGE_FLAGS:  # which it would add to
        env.pop(name, None)
    return {name: subprocess.run(["dpkg-buildflags", "--get", name], env=env, cwd=source, check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.strip() for name in LANGUAGE_FLAGS}


def has_cet(flags, folder):
    """Whether anything can: a library has it only where the compiler's own start files have it, too."""
    reference = os.path.join(folder, "reference.so")
    subprocess.run(["gcc", "-shared", "-fPIC"] + shlex.split(flags) + ["-o", reference, "unprotected.c"], cwd=FOLDER, check=True)
    return "CET" not in list_lacks(reference, flags)


def expect_own_symbols(library):
    exports = list_exports(library)
    if exports != PLUGIN:
        raise AssertionError("{} offers {}".format(library, sorted(exports)))


def expect_hardened(library, flags, folder):
    """That these flags, a table by get_flags(), did what they are there for. What is built to see it is in @folder."""
    flags = " ".join(flags.values())
    lacks = list_lacks(library, flags)
    if "CET" in lacks and not has_cet(flags, folder):
        lacks.remove("CET")
    if lacks:
        raise AssertionError("{} lacks {}; the flags are {}".format(library, sorted(lacks), flags))
