#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kConfigCommands{
    Verb{"config", "check", "", 0, 0, "read the configuration and look whether the machine fits it",
         "Starts nothing and changes nothing. Exit code 78 where a daemon would not start.",
         "tenure config check --config ./tenure.toml", "", Effect::reads, config_check},
    Verb{"config", "show", "", 0, 0, "every setting as the configuration says it now, and where it came from",
         "A daemon that runs works by what it has read last: tenure config reload says what it takes over "
         "and what waits, and tenure worker list what waits since then.",
         "tenure config show", "", Effect::reads, config_show},
    Verb{"config", "explain", "KEY", 1, 1,
         "unit, default, limits and meaning of one setting, and what the configuration says",
         "pool[0].slots is that of the first pool alone. A daemon that runs works by what it has read last: "
         "see tenure config show.",
         "tenure config explain store.durability", "", Effect::reads, config_explain},
    Verb{"config", "sample", "", 0, 0, "a configuration file with every setting at its default", "",
         "tenure config sample > tenure.toml", "", Effect::reads, config_sample},
    Verb{"config", "reload", "", 0, 0,
         "have the daemon read its configuration again, and say what it took over",
         "As SIGHUP does, but the answer is said here: exit code 78 where the configuration cannot be used, "
         "and then the one before stays in force.",
         "tenure config reload", "reason", Effect::changes, config_reload},
};

}  // namespace

std::span<const Verb> config_commands() { return kConfigCommands; }

}  // namespace tenure::cli
