#include "base/signal_name.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

using vigil::parse_signal;
using vigil::signal_name;

TEST_CASE("a signal is read by name, with or without SIG, in any letter case, or by number") {
    CHECK(parse_signal("TERM") == SIGTERM);
    CHECK(parse_signal("SIGTERM") == SIGTERM);
    CHECK(parse_signal("sigterm") == SIGTERM);
    CHECK(parse_signal("Usr1") == SIGUSR1);
    CHECK(parse_signal("15") == SIGTERM);
    CHECK(parse_signal("64") == 64);
}

TEST_CASE("a real-time signal is RTMIN plus an offset") {
    CHECK(parse_signal("RTMIN") == SIGRTMIN);
    CHECK(parse_signal("SIGRTMIN+3") == SIGRTMIN + 3);
    CHECK(parse_signal("rtmin+30") == SIGRTMIN + 30);
    CHECK(signal_name(SIGRTMIN) == "RTMIN");
    CHECK(signal_name(SIGRTMIN + 3) == "RTMIN+3");
}

TEST_CASE("the second names that kill(1) knows are read as well") {
    CHECK(parse_signal("IO") == SIGIO);
    CHECK(parse_signal("SIGIO") == SIGIO);
    CHECK(parse_signal("IOT") == SIGABRT);
    CHECK(parse_signal("CLD") == SIGCHLD);
    CHECK(parse_signal("RTMAX") == SIGRTMAX);
}

TEST_CASE("what names no signal is nothing") {
    for (const char* text : {"",
                             "SIG",
                             "TERMX",
                             "TER",
                             "0",
                             "65",
                             "-1",
                             "+15",
                             "15 ",
                             " TERM",
                             "1.5",
                             "RTMIN+",
                             "RTMIN+31",
                             "RTMIN-1",
                             "RTMIN+-1",
                             "RTMINX",
                             "SIGSIGTERM",
                             "SIG15",
                             "99999999999999",
                             "TERM\n",
                             "SIGRTMIN+99999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_signal(text).has_value());
    }
    CHECK_FALSE(parse_signal(std::string_view("TERM\0", 5)).has_value());
}

TEST_CASE("every signal's name is read back as that signal") {
    for (int signal = 1; signal <= 64; ++signal) {
        CAPTURE(signal);
        CHECK(parse_signal(signal_name(signal)) == signal);
    }
}

TEST_CASE("a number that is no signal is shown as it is") {
    CHECK(signal_name(0) == "0");
    CHECK(signal_name(-5) == "-5");
    CHECK(signal_name(1000) == "1000");
}
