#include "state/cause_code.hpp"

#include <memory>
#include <string>
#include <variant>

namespace vigil::state {
namespace {

using core::Cause;
namespace cause = core::cause;

/// Numbers in files: one is never given to another kind.
enum class Kind : std::uint8_t {
    none = 0,
    by_operator = 1,
    exit_code = 2,
    exit_signal = 3,
    exit_unknown = 4,
    heartbeat_timeout = 5,
    ready_timeout = 6,
    spawn_failed = 7,
    attempts_exhausted = 8,
    dependency = 9,
    config_reload = 10,
    shutdown = 11,
    adopted = 12,
    out_of_memory = 13,
};
static_assert(std::variant_size_v<Cause::Kind> == 14, "a new cause needs a number here");
// Stages are written as their numbers: a stage that is inserted shifts those of records an older daemon left.
static_assert(static_cast<int>(core::SpawnStage::exec) == 20, "see above");

struct Plain {
    BodyWriter<kPlainCauseSize> body;
    std::string_view text;
};

template <typename... Numbers>
Plain plain(Kind kind, Numbers... numbers) noexcept {
    static_assert(1 + (sizeof(Numbers) + ... + 0U) <= kPlainCauseSize);
    Plain code;
    code.body.put(static_cast<std::uint8_t>(kind));
    (code.body.put(numbers), ...);
    return code;
}

Plain with_text(Plain code, std::string_view text) noexcept {
    code.text = text;
    return code;
}

/// Each alternative of Cause::Kind has one overload; a missing one does not compile.
struct Encode {
    Plain operator()(const cause::None&) const noexcept { return {}; }
    Plain operator()(const cause::ByOperator& by) const noexcept {
        return plain(Kind::by_operator, by.who.uid, by.who.pid);
    }
    Plain operator()(const cause::ExitCode& exit) const noexcept { return plain(Kind::exit_code, exit.code); }
    Plain operator()(const cause::ExitSignal& exit) const noexcept {
        return plain(Kind::exit_signal, exit.signal, static_cast<std::uint8_t>(exit.core));
    }
    Plain operator()(const cause::ExitUnknown&) const noexcept { return plain(Kind::exit_unknown); }
    Plain operator()(const cause::HeartbeatTimeout& silence) const noexcept {
        return plain(Kind::heartbeat_timeout, std::int64_t{silence.timeout.count()});
    }
    Plain operator()(const cause::ReadyTimeout& late) const noexcept {
        return plain(Kind::ready_timeout, std::int64_t{late.timeout.count()});
    }
    Plain operator()(const cause::SpawnFailed& spawn) const noexcept {
        return with_text(
            plain(Kind::spawn_failed, static_cast<std::uint8_t>(spawn.failure.stage), spawn.failure.error),
            spawn.failure.detail);
    }
    Plain operator()(const cause::AttemptsExhausted& end) const noexcept {
        return plain(Kind::attempts_exhausted, end.attempts);
    }
    Plain operator()(const cause::Dependency& on) const noexcept {
        return with_text(plain(Kind::dependency), on.task);
    }
    Plain operator()(const cause::ConfigReload&) const noexcept { return plain(Kind::config_reload); }
    Plain operator()(const cause::Shutdown&) const noexcept { return plain(Kind::shutdown); }
    Plain operator()(const cause::Adopted&) const noexcept { return plain(Kind::adopted); }
    Plain operator()(const cause::OutOfMemory&) const noexcept { return plain(Kind::out_of_memory); }
};

core::SpawnStage stage_of(std::uint8_t number) noexcept {
    constexpr auto kLast = static_cast<std::uint8_t>(core::SpawnStage::exec);
    return number <= kLast ? static_cast<core::SpawnStage>(number) : core::SpawnStage::exec;
}

Cause decode_from(BodyReader& body, std::string_view text, bool outermost) {
    switch (static_cast<Kind>(body.take<std::uint8_t>())) {
        case Kind::none: break;
        case Kind::by_operator: {
            const auto uid = body.take<uid_t>();
            return {cause::ByOperator{{uid, body.take<pid_t>()}}};
        }
        case Kind::exit_code: return {cause::ExitCode{body.take<int>()}};
        case Kind::exit_signal: {
            const int signal = body.take<int>();
            return {cause::ExitSignal{signal, body.take<std::uint8_t>() != 0}};
        }
        case Kind::exit_unknown: return {cause::ExitUnknown{}};
        case Kind::heartbeat_timeout:
            return {cause::HeartbeatTimeout{core::Duration(body.take<std::int64_t>())}};
        case Kind::ready_timeout: return {cause::ReadyTimeout{core::Duration(body.take<std::int64_t>())}};
        case Kind::spawn_failed: {
            const core::SpawnStage stage = stage_of(body.take<std::uint8_t>());
            return {cause::SpawnFailed{{stage, body.take<int>(), std::string(text)}}};
        }
        case Kind::attempts_exhausted: {
            cause::AttemptsExhausted end{body.take<unsigned>(), nullptr};
            if (outermost && !body.empty())
                end.last = std::make_shared<const Cause>(decode_from(body, text, false));
            return {std::move(end)};
        }
        case Kind::dependency: return {cause::Dependency{std::string(text)}};
        case Kind::config_reload: return {cause::ConfigReload{}};
        case Kind::shutdown: return {cause::Shutdown{}};
        case Kind::adopted: return {cause::Adopted{}};
        case Kind::out_of_memory: return {cause::OutOfMemory{}};
    }
    return {};
}

}  // namespace

CauseCode encode_cause(const Cause& cause) noexcept {
    CauseCode code;
    const Plain outer = std::visit(Encode{}, cause.kind);
    code.body.put_all(outer.body);
    code.text = outer.text;
    const auto* end = std::get_if<cause::AttemptsExhausted>(&cause.kind);
    if (end == nullptr || end->last == nullptr) return code;
    const Plain last = std::visit(Encode{}, end->last->kind);
    // An empty body would read as "no last cause".
    if (last.body.bytes().empty()) code.body.put(static_cast<std::uint8_t>(Kind::none));
    code.body.put_all(last.body);
    code.text = last.text;
    return code;
}

Cause decode_cause(std::span<const std::uint8_t> body, std::string_view text) {
    BodyReader reader(body);
    return decode_from(reader, text, true);
}

}  // namespace vigil::state
