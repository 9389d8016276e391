-- What PostGraphile is given besides the tables: who sees which rows, and the values that are computed.
CREATE OR REPLACE FUNCTION bench_viewer() RETURNS uuid LANGUAGE sql STABLE AS
  $$ SELECT nullif(current_setting('viewer.id', true), '')::uuid $$;
CREATE OR REPLACE FUNCTION bench_is_staff() RETURNS boolean LANGUAGE sql STABLE AS
  $$ SELECT staff_role IS NOT NULL FROM app_user WHERE id = bench_viewer() AND is_active $$;

CREATE OR REPLACE FUNCTION organization_tickets(organization uuid) RETURNS SETOF ticket LANGUAGE sql STABLE AS $$
  SELECT t.* FROM ticket t
  WHERE t.organization_id = organization
    AND EXISTS (SELECT 1 FROM membership m JOIN organization o ON o.id = m.organization_id
                JOIN app_user u ON u.id = m.user_id AND u.is_active
                WHERE m.user_id = bench_viewer() AND m.organization_id = organization
                  AND (m.role IN ('OWNER', 'ADMIN', 'SUPPORT_REQUEST_ADMIN')
                       OR (m.role IN ('MEMBER', 'READ_ONLY') AND o.member_visibility = 'OPEN')))
    AND (t.requester_id = bench_viewer() OR t.confidentiality = 'ORGANIZATION')
    AND t.status IN ('NEW', 'OPEN', 'PENDING_CUSTOMER', 'ON_HOLD')
  ORDER BY t.last_activity_at DESC, t.id DESC
$$;
CREATE OR REPLACE FUNCTION staff_ticket(wanted uuid) RETURNS ticket LANGUAGE sql STABLE AS
  $$ SELECT * FROM ticket WHERE id = wanted AND bench_is_staff() $$;

CREATE OR REPLACE FUNCTION ticket_display_status(t ticket) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN t.is_escalated AND t.status IN ('NEW', 'OPEN', 'PENDING_CUSTOMER', 'ON_HOLD')
              THEN 'ESCALATED' ELSE t.status END
$$;
CREATE OR REPLACE FUNCTION ticket_feed_position(t ticket) RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT epoch || ':' || head FROM feed_stream WHERE topic = 'ticket:' || t.id $$;
CREATE OR REPLACE FUNCTION ticket_active_escalation(t ticket) RETURNS escalation LANGUAGE sql STABLE AS
  $$ SELECT * FROM escalation WHERE ticket_id = t.id AND stage <> 'RESOLVED' ORDER BY submitted_at LIMIT 1 $$;
CREATE OR REPLACE FUNCTION app_user_shown_email(u app_user) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN u.id = bench_viewer() OR bench_is_staff() OR EXISTS (
    SELECT 1 FROM membership theirs JOIN membership mine ON mine.organization_id = theirs.organization_id
    WHERE theirs.user_id = u.id AND mine.user_id = bench_viewer()
      AND mine.role IN ('OWNER', 'ADMIN', 'SUPPORT_REQUEST_ADMIN')) THEN u.email END
$$;
