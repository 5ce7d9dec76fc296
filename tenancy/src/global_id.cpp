#include <tenure/base/limits.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/global_id.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure {
namespace {

constexpr std::string_view kScheme = "gid";
constexpr std::string_view kSeparator = "://";
constexpr std::string_view kTenantParameter = "tenant";
// RFC 3986: what may stand in a query besides unreserved characters and escapes, without & which separates.
constexpr std::string_view kQueryPunctuation = "!$'()*+,;=:@/?";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_unreserved(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
bool is_hex(char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); }
int hex_value(char c) { return is_digit(c) ? c - '0' : c - 'A' + 10; }

// A reason, or nothing. The callers put the whole id before it.
using Reason = std::optional<std::string>;

Reason bad_application(std::string_view text) {
  if (text.empty()) return "it names no application";
  if (text.find('@') != std::string_view::npos) return "it has user information";
  if (text.find(':') != std::string_view::npos) return "it has a port";
  if (const std::string rule = broken_name_rule(NameOf::application, text); !rule.empty())
    return "its application " + rule;
  return std::nullopt;
}

Reason bad_model(std::string_view text) {
  if (text.empty()) return "it names no model";
  if (text.size() > GlobalId::kModelMax)
    return fmt::format("its model has {} bytes, at most {} are allowed", text.size(), GlobalId::kModelMax);
  const auto allowed = [](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '_' || c == '.' || c == ':';
  };
  if (!std::ranges::all_of(text, allowed) || !(is_lower(text.front()) || is_upper(text.front())))
    return "its model is not of the form [A-Za-z][A-Za-z0-9_.:]*";
  return std::nullopt;
}

// C0, DEL and C1, which a terminal obeys too.
bool has_control(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(first_character(text).size)) {
    const std::uint32_t code_point = first_character(text).code_point;
    if (code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F)) return true;
  }
  return false;
}

Reason bad_id(std::string_view id) {
  if (id.empty()) return "it has no id";
  if (!is_utf8(id)) return "its id is not UTF-8";
  if (has_control(id)) return "its id contains a control character";
  return std::nullopt;
}

std::string escape_id(std::string_view id) {
  std::string text;
  for (const char c : id) {
    if (is_unreserved(c)) text += c;
    else text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

// One value has one text, so an escape of a character that needs none is refused, and so are small
// hexadecimal digits.
Reason unescape_id(std::string_view text, std::string* id) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_unreserved(text[at])) {
      *id += text[at];
      continue;
    }
    if (text[at] == '/') return "it has more than a model and an id";
    if (text[at] != '%') return "its id has a character that must be escaped";
    if (text.size() - at < 3 || !is_hex(text[at + 1]) || !is_hex(text[at + 2]))
      return "its id has a malformed escape (% and two of 0-9A-F)";
    const char decoded = static_cast<char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]));
    if (is_unreserved(decoded)) return "its id has an escape of a character that needs none";
    *id += decoded;
    at += 2;
  }
  return std::nullopt;
}

Reason read_tenant(std::string_view value, std::optional<TenantName>* tenant) {
  if (*tenant) return "it names two tenants";
  if (value.empty()) return "its tenant is empty";
  Result<TenantName> name = TenantName::parse(value);
  if (!name) return "its tenant is none: " + name.error().message;
  *tenant = *std::move(name);
  return std::nullopt;
}

Reason read_parameter(std::string_view parameter, std::optional<TenantName>* tenant) {
  const std::size_t equals = parameter.find('=');
  if (equals == std::string_view::npos || equals == 0) return "a parameter of it has no name or no value";
  const std::string_view name = parameter.substr(0, equals);
  const std::string_view value = parameter.substr(equals + 1);
  // No escapes in names: one that decodes to `tenant` must not hide.
  if (!std::ranges::all_of(name, is_unreserved))
    return "a parameter's name has a character that is not allowed";
  if (name == kTenantParameter) return read_tenant(value, tenant);
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (is_unreserved(value[at]) || kQueryPunctuation.find(value[at]) != std::string_view::npos) continue;
    if (value[at] != '%') return "a parameter's value has a character that must be escaped";
    if (value.size() - at < 3 || !is_hex(value[at + 1]) || !is_hex(value[at + 2]))
      return "a parameter's value has a malformed escape (% and two of 0-9A-F)";
    at += 2;
  }
  return std::nullopt;
}

Reason read_query(std::string_view query, std::optional<TenantName>* tenant) {
  for (std::string_view rest = query;;) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    if (Reason reason = read_parameter(rest.substr(0, end), tenant)) return reason;
    if (end == rest.size()) return std::nullopt;
    rest.remove_prefix(end + 1);
  }
}

tl::unexpected<Failure> refuse(std::string_view text, std::string_view reason) {
  return fail(ErrorCode::bad_global_id, fmt::format("\"{}\" is no Global ID: {}", escaped(text), reason));
}

Failure refuse_parts(const GlobalId& id, std::string_view reason) {
  return {ErrorCode::bad_global_id,
          fmt::format("no Global ID can be made of application \"{}\", model \"{}\" and id \"{}\": {}",
                      escaped(id.application()), escaped(id.model()), escaped(id.id()), reason)};
}

// The text after the scheme.
Result<std::string_view> after_scheme(std::string_view text) {
  if (text.size() > limits::kGlobalIdMax)
    return refuse(text,
                  fmt::format("it has {} bytes, at most {} are allowed", text.size(), limits::kGlobalIdMax));
  const std::size_t end = text.find(kSeparator);
  if (end == std::string_view::npos) return refuse(text, "it is no URI");
  if (text.substr(0, end) != kScheme) return refuse(text, "its scheme is not gid");
  if (text.find('#') != std::string_view::npos) return refuse(text, "it has a fragment");
  return text.substr(end + kSeparator.size());
}

}  // namespace

GlobalId::GlobalId(std::string_view application, std::string_view model, std::string_view id,
                   std::optional<TenantName> tenant)
    : application_(application), model_(model), id_(id), tenant_(std::move(tenant)) {
  if (tenant_) query_ = fmt::format("{}={}", kTenantParameter, tenant_->text());
  for (const Reason& reason : {bad_application(application_), bad_model(model_), bad_id(id_)})
    if (reason) raise(refuse_parts(*this, *reason));
  if (const std::size_t size = text().size(); size > limits::kGlobalIdMax)
    raise(refuse_parts(
        *this, fmt::format("it would have {} bytes, at most {} are allowed", size, limits::kGlobalIdMax)));
}

Result<GlobalId> GlobalId::parse(std::string_view text) {
  const Result<std::string_view> body = after_scheme(text);
  if (!body) return tl::unexpected<Failure>(body.error());
  const std::size_t question = body->find('?');
  const std::string_view path = body->substr(0, question);
  const std::size_t first = path.find('/');
  if (first == std::string_view::npos) return refuse(text, "it names no model");
  const std::size_t second = path.find('/', first + 1);

  GlobalId global_id;
  global_id.application_ = path.substr(0, first);
  global_id.model_ = path.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
  if (Reason reason = bad_application(global_id.application_)) return refuse(text, *reason);
  if (Reason reason = bad_model(global_id.model_)) return refuse(text, *reason);
  if (second == std::string_view::npos) return refuse(text, "it has no id");
  if (Reason reason = unescape_id(path.substr(second + 1), &global_id.id_)) return refuse(text, *reason);
  if (Reason reason = bad_id(global_id.id_)) return refuse(text, *reason);
  if (question != std::string_view::npos) {
    global_id.query_ = body->substr(question + 1);
    if (Reason reason = read_query(global_id.query_, &global_id.tenant_)) return refuse(text, *reason);
  }
  return global_id;
}

std::string GlobalId::text() const {
  std::string text = fmt::format("{}{}{}/{}/{}", kScheme, kSeparator, application_, model_, escape_id(id_));
  if (!query_.empty()) text += "?" + query_;
  return text;
}

}  // namespace tenure
