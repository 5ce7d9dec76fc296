#include <tenure/base/error.hpp>
#include <tenure/base/exception_text.hpp>
#include <tenure/base/text.hpp>

#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace tenure {
namespace {

constexpr int kNestedMax = 16;

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text{abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                    std::free};
  return status == 0 ? text.get() : name;
}

// In a catch block. What std::throw_with_nested throws is a type of the library's around the caller's.
std::string thrown_type() {
  constexpr std::string_view kWrapper = "std::_Nested_exception<";
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "a foreign exception";
  std::string name = demangled(type->name());
  if (name.starts_with(kWrapper) && name.ends_with('>'))
    name = name.substr(kWrapper.size(), name.size() - kWrapper.size() - 1);
  return name;
}

std::string text_of_text(const char* text) { return text == nullptr ? "" : to_utf8(text); }

std::string text_of_thrown(int nested_max);

std::string text_of_nested(const std::nested_exception& error, int nested_max) {
  if (error.nested_ptr() == nullptr) return {};
  if (nested_max == 0) return "; because of more";
  try {
    error.rethrow_nested();
  } catch (...) {
    return "; because of " + text_of_thrown(nested_max - 1);
  }
}

template <class T>
std::string text_of_nested_in(const T& error, int nested_max) {
  const auto* const nested = dynamic_cast<const std::nested_exception*>(&error);
  return nested == nullptr ? "" : text_of_nested(*nested, nested_max);
}

// An Error's text begins with the name of its code, which says more than its type.
std::string text_of_thrown(int nested_max) {
  try {
    throw;
  } catch (const Error& error) {
    return error.failure().text() + text_of_nested_in(error, nested_max);
  } catch (const std::exception& error) {
    return thrown_type() + ": " + text_of(error) + text_of_nested_in(error, nested_max);
  } catch (const std::nested_exception& error) {
    return thrown_type() + text_of_nested(error, nested_max);
  } catch (const std::string& text) {
    return thrown_type() + ": " + to_utf8(text);
  } catch (const char* text) {
    return thrown_type() + ": " + text_of_text(text);
  } catch (...) {
    return thrown_type();
  }
}

}  // namespace

std::string text_of(const std::exception& error) { return text_of_text(error.what()); }

std::string text_of_nested(const std::exception& error) { return text_of_nested_in(error, kNestedMax); }

std::string text_of_thrown() { return text_of_thrown(kNestedMax); }

}  // namespace tenure
