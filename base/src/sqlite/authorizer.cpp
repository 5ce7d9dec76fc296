#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/authorizer.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace tenure::sqlite {
namespace {

constexpr std::string_view kOwnPrefix = "tenure_";
constexpr int kStepsBetweenStopChecks = 1000;

// These describe and change nothing, with an argument too: it names what is described.
constexpr std::array<std::string_view, 9> kDescribing{
    "table_info",  "table_xinfo",      "table_list",        "index_list",     "index_info",
    "index_xinfo", "foreign_key_list", "foreign_key_check", "collation_list",
};
// These change something when they have an argument.
constexpr std::array<std::string_view, 13> kReadable{
    "user_version", "schema_version", "application_id",  "data_version", "page_count",
    "page_size",    "freelist_count", "encoding",        "foreign_keys", "journal_mode",
    "synchronous",  "quick_check",    "integrity_check",
};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char left, unsigned char right) {
    return std::tolower(left) == std::tolower(right);
  });
}

// The outbox's numbers must never be given out again, and they are kept in a table that user SQL could reset.
bool is_own(std::string_view name) {
  if (equal_ignoring_case(name, "sqlite_sequence")) return true;
  return equal_ignoring_case(name.substr(0, kOwnPrefix.size()), kOwnPrefix);
}

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view known) { return equal_ignoring_case(known, name); });
}

// Which arguments of an action name an object: a table, view, index or trigger that is made, changed or
// dropped.
struct Objects {
  bool first = false;
  bool second = false;
};

Objects objects_of(int action) {
  switch (action) {
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_TEMP_VIEW:
    case SQLITE_DROP_VTABLE:
      return {.first = true};
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TEMP_INDEX:
    case SQLITE_DROP_TRIGGER:
    case SQLITE_DROP_TEMP_TRIGGER:
      return {.first = true, .second = true};
    case SQLITE_ALTER_TABLE:  // the first is the database
      return {.second = true};
    default:
      return {};
  }
}

std::string refused_pragma(std::string_view name, std::optional<std::string_view> argument) {
  if (is_one_of(kDescribing, name)) return {};
  if (!argument && is_one_of(kReadable, name)) return {};
  return "PRAGMA " + std::string{name} + (argument ? " with a value" : "");
}

enum class AtWork : std::uint8_t { user_code, ours };

// What is refused, in words; empty for what is allowed.
std::string refused(int action, std::string_view first, std::optional<std::string_view> argument,
                    AtWork at_work) {
  const std::string_view second = argument.value_or("");
  const bool permitted = at_work == AtWork::ours;
  switch (action) {
    case SQLITE_ATTACH:
      return "ATTACH (VACUUM too)";
    case SQLITE_DETACH:
      return "DETACH";
    case SQLITE_PRAGMA:
      if (permitted && equal_ignoring_case(first, "application_id")) return {};  // the label of the log
      return refused_pragma(first, argument);
    case SQLITE_FUNCTION:
      if (equal_ignoring_case(second, "load_extension") || equal_ignoring_case(second, "fts3_tokenizer"))
        return "the function " + std::string{second};
      return {};
    case SQLITE_TRANSACTION:
      return permitted ? std::string{} : std::string{first} + " (the handle begins and ends transactions)";
    default:
      break;
  }
  const Objects objects = objects_of(action);
  if (permitted || !((objects.first && is_own(first)) || (objects.second && is_own(second)))) return {};
  return "a change of " + std::string{objects.first && is_own(first) ? first : second} +
         ", which is Tenure's own,";
}

std::optional<std::string_view> text_of(const char* text) {
  return text == nullptr ? std::nullopt : std::optional<std::string_view>{text};
}

}  // namespace

struct Authorizer::Impl {
  int permissions = 0;
  std::string refusal;
  const std::atomic<bool>* stop = nullptr;
  sqlite3* database = nullptr;

  int decide(int action, const char* first, const char* second) noexcept {
    try {
      std::string reason = refused(action, text_of(first).value_or(""), text_of(second),
                                   permissions > 0 ? AtWork::ours : AtWork::user_code);
      if (reason.empty()) return SQLITE_OK;
      refusal = std::move(reason) + " is not allowed here";
    } catch (const std::bad_alloc&) {
      refusal.clear();
    }
    return SQLITE_DENY;
  }
};

Authorizer::Authorizer(Connection& connection, const std::atomic<bool>* stop)
    : impl_(std::make_unique<Impl>()) {
  impl_->stop = stop;
  impl_->database = connection.native();
  sqlite3_set_authorizer(
      impl_->database,
      [](void* impl, int action, const char* first, const char* second, const char*, const char*) {
        return static_cast<Impl*>(impl)->decide(action, first, second);
      },
      impl_.get());
  sqlite3_commit_hook(
      impl_->database,
      [](void* hooked) {
        auto* impl = static_cast<Impl*>(hooked);
        if (impl->permissions > 0) return 0;
        impl->refusal = "a commit outside the handle's own transaction is not allowed here";
        return 1;
      },
      impl_.get());
  if (stop == nullptr) return;
  sqlite3_progress_handler(
      impl_->database, kStepsBetweenStopChecks,
      [](void* impl) { return static_cast<Impl*>(impl)->stop->load(std::memory_order_relaxed) ? 1 : 0; },
      impl_.get());
}

Authorizer::~Authorizer() {
  sqlite3_set_authorizer(impl_->database, nullptr, nullptr);
  sqlite3_commit_hook(impl_->database, nullptr, nullptr);
  sqlite3_progress_handler(impl_->database, 0, nullptr, nullptr);
}

std::string Authorizer::take_refusal() { return std::exchange(impl_->refusal, {}); }

Authorizer::Permission::Permission(Authorizer& authorizer) : authorizer_(authorizer) {
  ++authorizer_.impl_->permissions;
}

Authorizer::Permission::~Permission() { --authorizer_.impl_->permissions; }

}  // namespace tenure::sqlite
