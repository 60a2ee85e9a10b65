#include "client/client.hpp"

#include "base/text.hpp"

namespace vigil::client {
namespace {

void write_names(json::Writer& out, const protocol::Patterns& names) {
    out.key("name").begin_array();
    for (const std::string& name : names) out.value(name);
    out.end_array();
}

/// Rounded up: a limit that was asked for must not turn into none.
void write_timeout(json::Writer& out, std::optional<core::Duration> timeout) {
    if (timeout) out.member("timeout", std::chrono::ceil<std::chrono::milliseconds>(*timeout).count());
}

}  // namespace

std::string params_text(const Order& order) {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    write_names(out, order.names);
    if (!order.wait) out.member("wait", false);
    write_timeout(out, order.timeout);
    if (order.now) out.member("now", true);
    if (order.persist) out.member("persist", true);
    out.end_object();
    return text;
}

std::string names_text(const protocol::Patterns& names) {
    return status_text({.names = names});
}

std::string status_text(const protocol::params::TaskStatus& status) {
    if (status.names.empty() && !status.spec && !status.details && status.fields.all()) return {};
    std::string text;
    json::Writer out(text);
    out.begin_object();
    if (!status.names.empty()) write_names(out, status.names);
    if (status.spec) out.member("spec", true);
    if (status.details) out.member("details", true);
    if (!status.fields.all()) {
        out.key("fields").begin_array();
        for (std::size_t i = 0; i < protocol::kStatusFieldNames.size(); ++i)
            if (status.fields.has(static_cast<protocol::StatusField>(i)))
                out.value(protocol::kStatusFieldNames[i]);
        out.end_array();
    }
    out.end_object();
    return text;
}

std::string signal_text(const protocol::Patterns& names, int signal) {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    write_names(out, names);
    out.member("signal", signal).end_object();
    return text;
}

std::string wait_text(const protocol::Patterns& names, protocol::params::TaskWait::For what,
                      std::optional<core::Duration> timeout) {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    write_names(out, names);
    out.member("for", protocol::to_string(what));
    write_timeout(out, timeout);
    out.end_object();
    return text;
}

Result<Client, Fault> Client::open(const std::vector<std::string>& sockets, const Patience& patience) {
    auto channel = Channel::open(sockets, patience);
    if (!channel) return Failure{std::move(channel).error()};
    return Client(std::move(channel).value());
}

Fault Client::misread(std::string_view what) const {
    return {.kind = Fault::Kind::protocol,
            .message = "what answers at " + socket() +
                       " does not speak vigil's protocol: " + escape_for_display(what)};
}

Result<protocol::Incoming, Fault> Client::receive(const Patience& patience) {
    auto line = channel_.receive(patience);
    if (!line) return Failure{std::move(line).error()};
    auto message = protocol::parse_incoming(*line);
    if (!message) return Failure{misread(message.error())};
    return std::move(message).value();
}

Result<std::string_view, Fault> Client::call(protocol::Method method, std::string_view params,
                                             const Patience& patience) {
    const std::uint64_t id = ++last_id_;
    // A daemon that refuses a connection says why and closes it; the reason is worth more than the failed
    // write.
    auto sent = channel_.send(protocol::request_line(id, protocol::info(method).name, params), patience);
    if (!sent && sent.error().kind != Fault::Kind::disconnected) return Failure{sent.error()};
    while (true) {
        auto message = receive(patience);
        if (!message) return Failure{std::move(message).error()};
        if (!message->method.empty()) {
            if (message->method == protocol::kEventMethod) events_.emplace_back(message->payload);
            continue;
        }
        if (message->error && (!message->id || *message->id == id))
            return Failure{fault_of(std::move(*message->error))};
        if (message->id == id) return message->payload;
        return Failure{misread("an answer to a request that was not made")};
    }
}

Result<void, Fault> Client::post(protocol::Method method, std::string_view params, const Patience& patience) {
    const std::uint64_t id = ++last_id_;
    // A daemon takes requests in the order sent and refuses at once: when the question after the order is
    // answered, the order was taken.
    const std::uint64_t question = ++last_id_;
    const std::string lines =
        protocol::request_line(id, protocol::info(method).name, params) +
        protocol::request_line(question, protocol::info(protocol::Method::daemon_hello).name, {});
    if (auto sent = channel_.send(lines, patience); !sent && sent.error().kind != Fault::Kind::disconnected)
        return sent;
    while (true) {
        auto message = receive(patience);
        if (!message) return Failure{std::move(message).error()};
        if (!message->method.empty()) continue;
        if (message->error && (!message->id || *message->id == id))
            return Failure{fault_of(std::move(*message->error))};
        if (message->id == id || message->id == question) return {};
    }
}

Result<protocol::Hello, Fault> Client::hello(const Patience& patience) {
    auto result = call(protocol::Method::daemon_hello, {}, patience);
    if (!result) return Failure{std::move(result).error()};
    auto hello = protocol::parse_hello(*result);
    if (!hello) return Failure{misread(hello.error())};
    return std::move(hello).value();
}

Result<protocol::DaemonStatus, Fault> Client::daemon_status(const Patience& patience) {
    auto result = call(protocol::Method::daemon_status, {}, patience);
    if (!result) return Failure{std::move(result).error()};
    auto status = protocol::parse_daemon_status(*result);
    if (!status) return Failure{misread(status.error())};
    return std::move(status).value();
}

Result<std::string_view, Fault> Client::status(protocol::params::TaskStatus wanted,
                                               const Patience& patience) {
    const bool chosen = !wanted.fields.all();
    if (chosen && !chooses_) wanted.fields = {};
    auto answer = call(protocol::Method::task_status, status_text(wanted), patience);
    if (answer || !chosen || !chooses_ || !answer.error().rpc ||
        answer.error().rpc->code != protocol::ErrorCode::invalid_params)
        return answer;
    // A daemon from before `fields` was a parameter, which is well until it is upgraded.
    chooses_ = false;
    wanted.fields = {};
    return call(protocol::Method::task_status, status_text(wanted), patience);
}

Result<std::vector<protocol::TaskStatus>, Fault> Client::statuses(const protocol::Patterns& names,
                                                                  const Patience& patience) {
    auto result = call(protocol::Method::task_status, names_text(names), patience);
    if (!result) return Failure{std::move(result).error()};
    auto tasks = protocol::parse_task_statuses(*result);
    if (!tasks) return Failure{misread(tasks.error())};
    return std::move(tasks).value();
}

Result<std::vector<protocol::TaskOutcome>, Fault> Client::order(const Order& order,
                                                                const Patience& patience) {
    auto result = call(order.method, params_text(order), patience);
    if (!result) return Failure{std::move(result).error()};
    auto outcomes = protocol::parse_outcomes(*result);
    if (!outcomes) return Failure{misread(outcomes.error())};
    return std::move(outcomes).value();
}

Result<void, Fault> Client::subscribe(const protocol::Patterns& names, const Patience& patience) {
    auto result = call(protocol::Method::events_subscribe, names_text(names), patience);
    if (!result) return Failure{std::move(result).error()};
    return {};
}

Result<std::string_view, Fault> Client::next_event(const Patience& patience) {
    if (!events_.empty()) {
        event_ = std::move(events_.front());
        events_.pop_front();
        return std::string_view(event_);
    }
    while (true) {
        auto message = receive(patience);
        if (!message) return Failure{std::move(message).error()};
        if (message->error) return Failure{fault_of(std::move(*message->error))};
        if (message->method == protocol::kEventMethod) return message->payload;
    }
}

Result<void, Fault> Client::wait_for_end(const Patience& patience) {
    while (true) {
        auto line = channel_.receive(patience);
        if (line) continue;
        if (line.error().kind == Fault::Kind::disconnected) return {};
        return Failure{std::move(line).error()};
    }
}

}  // namespace vigil::client
