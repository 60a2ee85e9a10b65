#include "upgrade/handover.hpp"

#include <array>
#include <optional>

#include "json/writer.hpp"
#include "protocol/fields.hpp"

namespace vigil::daemon {
namespace {

using protocol::Field;
using protocol::JsonCursor;
using std::chrono::nanoseconds;

/// What clients have sent need not be text.
std::string hexadecimal(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text += kDigits[value >> 4U];
        text += kDigits[value & 15U];
    }
    return text;
}

int digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

void read_bytes(JsonCursor& in, std::string& to) {
    std::string text;
    in.read(text);
    if (text.size() % 2 != 0) return in.fail("an even number of digits");
    to.clear();
    to.reserve(text.size() / 2);
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const int high = digit(text[at]);
        const int low = digit(text[at + 1]);
        if (high < 0 || low < 0) return in.fail("hexadecimal digits");
        to.push_back(static_cast<char>(high * 16 + low));
    }
}

/// Null: never.
void read_deadline(JsonCursor& in, core::TimePoint& to) {
    std::optional<std::int64_t> count;
    in.read(count);
    to = count ? core::TimePoint(nanoseconds(*count)) : core::kNever;
}

void read_goal(JsonCursor& in, core::Goal& to) {
    std::string word;
    in.read(word);
    const auto goal = core::parse_goal(word);
    if (!goal) return in.fail("a goal that this version knows");
    to = *goal;
}

constexpr std::array<Field<CarriedSession>, 6> kSessionFields = {{
    {"fd", [](JsonCursor& in, CarriedSession& to) { in.read(to.fd); }},
    {"received", [](JsonCursor& in, CarriedSession& to) { read_bytes(in, to.received); }},
    {"unsent", [](JsonCursor& in, CarriedSession& to) { read_bytes(in, to.unsent); }},
    {"subscribed", [](JsonCursor& in, CarriedSession& to) { in.read(to.subscribed); }},
    {"event_patterns",
     [](JsonCursor& in, CarriedSession& to) { protocol::read_strings(in, to.event_patterns); }},
    {"finishing", [](JsonCursor& in, CarriedSession& to) { in.read(to.finishing); }},
}};

constexpr std::array<Field<CarriedWait>, 4> kWaitFields = {{
    {"task", [](JsonCursor& in, CarriedWait& to) { in.read(to.task); }},
    {"goal", [](JsonCursor& in, CarriedWait& to) { read_goal(in, to.goal); }},
    {"generation", [](JsonCursor& in, CarriedWait& to) { in.read(to.generation); }},
    {"patient", [](JsonCursor& in, CarriedWait& to) { in.read(to.patient); }},
}};

constexpr std::array<Field<CarriedOrder>, 6> kOrderFields = {{
    {"session", [](JsonCursor& in, CarriedOrder& to) { in.read(to.session); }},
    {"request", [](JsonCursor& in, CarriedOrder& to) { in.read(to.request); }},
    {"reached",
     [](JsonCursor& in, CarriedOrder& to) {
         auto outcomes = protocol::parse_outcomes(in.skip());
         if (!outcomes) return in.fail("a list of outcomes");
         to.outcomes = std::move(outcomes).value();
     }},
    {"awaited",
     [](JsonCursor& in, CarriedOrder& to) {
         protocol::read_objects(in, to.awaited, std::span<const Field<CarriedWait>>(kWaitFields));
     }},
    {"deadline", [](JsonCursor& in, CarriedOrder& to) { read_deadline(in, to.deadline); }},
    {"report", [](JsonCursor& in, CarriedOrder& to) { in.read(to.report); }},
}};

constexpr std::array<Field<CarriedCommand>, 3> kCommandFields = {{
    {"task", [](JsonCursor& in, CarriedCommand& to) { in.read(to.task); }},
    {"generation", [](JsonCursor& in, CarriedCommand& to) { in.read(to.generation); }},
    {"pid", [](JsonCursor& in, CarriedCommand& to) { in.read(to.pid); }},
}};

constexpr std::array<Field<Handover>, 14> kFields = {{
    {"format", [](JsonCursor& in, Handover& to) { in.read(to.format); }},
    {"version", [](JsonCursor& in, Handover& to) { in.read(to.version); }},
    {"runtime_dir", [](JsonCursor& in, Handover& to) { in.read(to.runtime_dir); }},
    {"lock", [](JsonCursor& in, Handover& to) { in.read(to.lock); }},
    {"open_files_soft", [](JsonCursor& in, Handover& to) { in.read(to.open_files.rlim_cur); }},
    {"open_files_hard", [](JsonCursor& in, Handover& to) { in.read(to.open_files.rlim_max); }},
    {"started_at",
     [](JsonCursor& in, Handover& to) {
         std::int64_t count = 0;
         in.read(count);
         to.started_at = nanoseconds(count);
     }},
    {"config_changed", [](JsonCursor& in, Handover& to) { in.read(to.config_changed); }},
    {"events", [](JsonCursor& in, Handover& to) { in.read(to.clients.events); }},
    {"sessions",
     [](JsonCursor& in, Handover& to) {
         protocol::read_objects(in, to.clients.sessions,
                                std::span<const Field<CarriedSession>>(kSessionFields));
     }},
    {"orders",
     [](JsonCursor& in, Handover& to) {
         protocol::read_objects(in, to.clients.orders, std::span<const Field<CarriedOrder>>(kOrderFields));
     }},
    {"upgrader_session", [](JsonCursor& in, Handover& to) { in.read(to.clients.upgrader_session); }},
    {"upgrader_request", [](JsonCursor& in, Handover& to) { in.read(to.clients.upgrader_request); }},
    {"stop_commands",
     [](JsonCursor& in, Handover& to) {
         protocol::read_objects(in, to.stop_commands, std::span<const Field<CarriedCommand>>(kCommandFields));
     }},
}};

/// A limit as a number that a reader of JSON takes; RLIM_INFINITY is beyond those.
std::int64_t as_number(rlim_t limit) {
    return limit == RLIM_INFINITY ? INT64_MAX : static_cast<std::int64_t>(limit);
}

void write(json::Writer& out, const CarriedSession& session) {
    out.begin_object().member("fd", session.fd).member("received", hexadecimal(session.received));
    out.member("unsent", hexadecimal(session.unsent)).member("subscribed", session.subscribed);
    out.key("event_patterns").begin_array();
    for (const std::string& pattern : session.event_patterns) out.value(pattern);
    out.end_array().member("finishing", session.finishing).end_object();
}

void write(json::Writer& out, const CarriedOrder& order) {
    out.begin_object().member("session", order.session).member("request", order.request).key("reached");
    protocol::write_outcomes(out, order.outcomes);
    out.key("awaited").begin_array();
    for (const CarriedWait& wait : order.awaited)
        out.begin_object()
            .member("task", wait.task)
            .member("goal", core::to_string(wait.goal))
            .member("generation", wait.generation)
            .member("patient", wait.patient)
            .end_object();
    out.end_array().key("deadline");
    if (order.deadline == core::kNever)
        out.null();
    else
        out.value(nanoseconds(order.deadline.time_since_epoch()).count());
    out.member("report", order.report).end_object();
}

}  // namespace

std::string encode(const Handover& handover) {
    std::string text;
    json::Writer out(text);
    const CarriedClients& clients = handover.clients;
    out.begin_object().member("format", handover.format).member("version", handover.version);
    out.member("runtime_dir", handover.runtime_dir).member("lock", handover.lock);
    out.member("open_files_soft", as_number(handover.open_files.rlim_cur));
    out.member("open_files_hard", as_number(handover.open_files.rlim_max));
    out.member("started_at", handover.started_at.count()).member("config_changed", handover.config_changed);
    out.member("events", clients.events).key("sessions").begin_array();
    for (const CarriedSession& session : clients.sessions) write(out, session);
    out.end_array().key("orders").begin_array();
    for (const CarriedOrder& order : clients.orders) write(out, order);
    out.end_array().member("upgrader_session", clients.upgrader_session);
    out.member("upgrader_request", clients.upgrader_request).key("stop_commands").begin_array();
    for (const CarriedCommand& command : handover.stop_commands)
        out.begin_object()
            .member("task", command.task)
            .member("generation", command.generation)
            .member("pid", command.pid)
            .end_object();
    out.end_array().end_object();
    return text;
}

Result<Handover, std::string> decode_handover(std::string_view text) {
    auto handover = protocol::read_whole<Handover>(text, kFields);
    if (!handover) return Failure{"what is handed over cannot be read: " + handover.error()};
    if (handover->format != Handover::kFormat)
        return Failure{"what is handed over is of format " + std::to_string(handover->format) +
                       ", this version reads " + std::to_string(Handover::kFormat)};
    for (rlim_t* limit : {&handover->open_files.rlim_cur, &handover->open_files.rlim_max})
        if (*limit == static_cast<rlim_t>(INT64_MAX)) *limit = RLIM_INFINITY;
    return handover;
}

std::vector<int> descriptors_of(const Handover& handover) {
    std::vector<int> all{handover.lock};
    for (const CarriedSession& session : handover.clients.sessions) all.push_back(session.fd);
    return all;
}

}  // namespace vigil::daemon
