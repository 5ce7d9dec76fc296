#include "value_text.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace tenure::daemon::journal {

std::string name_of_type(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> whole(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  std::string name = status == 0 ? whole.get() : type.name();
  for (const std::string_view space : {"tenure::", "daemon::", "queue::"})
    if (name.starts_with(space)) name.erase(0, space.size());
  return name;
}

}  // namespace tenure::daemon::journal
