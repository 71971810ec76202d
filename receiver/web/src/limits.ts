/** Limits of the alarms. Generated from receiver/alarms/limits.py, which explains them: `make page-types` makes it again. */

export const REPORT_LATE_S = 300;
export const BACKLOG_ROWS = 1000;
export const TOKEN_LEFT_S = 1209600;
export const SHORT_LIVED_ROLE = "installer";
