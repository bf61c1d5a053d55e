"""What binutils tell of a shared library: which symbols it offers, and how it is hardened."""
import re
import subprocess


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
