#!/usr/bin/env python3
"""A source with forty kinds of jobs, and how many functions the compiler has made for one of them."""

import argparse
import re
import subprocess
import sys

KINDS = 40
FUNCTIONS_MAX = 45  # for each kind, at -O0: 35 with g++ 12

KIND = """
struct Kind@ {
  static constexpr std::string_view kind = "many.kind_@";
  std::string name;
  std::int64_t number = 0;
  std::optional<std::string> note = {};
  std::vector<std::string> lines = {};
  double amount = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(number), CEREAL_NVP(note), CEREAL_NVP(lines), CEREAL_NVP(amount));
  }
};
"""
HANDLER = """  jobs.add<Kind@>([](const Kind@& job, tenure::JobContext& context) {
    context.once("step", [&](tenure::JobTransaction& transaction) {
      transaction.execute("insert into step values (?)", job.number);
    });
  });
"""


def each(text):
    return "".join(text.replace("@", str(number)) for number in range(KINDS))


def source():
    return (
        "#include <tenure/client.hpp>\n#include <tenure/worker.hpp>\n"
        + each(KIND)
        + "\nvoid add_kinds(tenure::JobRegistry& jobs);\nvoid add_kinds(tenure::JobRegistry& jobs) {\n"
        + each(HANDLER)
        + "}\n\nvoid enqueue_kinds(tenure::Client& client);\nvoid enqueue_kinds(tenure::Client& client) {\n"
        + each('  client.enqueue(Kind@{.name = "a name"});\n')
        + "}\n"
    )


def functions_for(number, nm, program):
    symbols = subprocess.run([nm, "--demangle", program], capture_output=True, text=True, check=True).stdout
    return len([line for line in symbols.splitlines()
                if re.search(r" [TtWw] ", line) and re.search(rf"\bKind{number}\b", line)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--count")
    arguments = parser.parse_args()
    if arguments.write:
        with open(arguments.write, "w", encoding="utf-8") as file:
            file.write(source())
        return 0
    functions = functions_for(KINDS - 1, arguments.nm, arguments.count)
    print(f"{functions} functions for a kind, at most {FUNCTIONS_MAX}")
    return 0 if 0 < functions <= FUNCTIONS_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
