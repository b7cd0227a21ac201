import java.sql.*;
import java.util.*;

/** What tools do over JDBC: connect, list, read, prepare. Ends with "done", or an exception. */
public class Jdbc {
    private static void check(String what, Object got, Object want) {
        if (!Objects.equals(String.valueOf(got), String.valueOf(want)))
            throw new AssertionError(what + ": expected " + want + ", found " + got);
    }

    public static void main(String[] args) throws Exception {
        try (Connection c = DriverManager.getConnection("jdbc:trino://127.0.0.1:" + args[0] + "/tpch/tiny", "test", null)) {
            DatabaseMetaData m = c.getMetaData();
            Set<String> tables = new TreeSet<>();
            try (ResultSet r = m.getTables("tpch", "tiny", "%", new String[] {"TABLE"})) {
                while (r.next())
                    tables.add(r.getString("TABLE_NAME"));
            }
            check("tables", tables, "[customer, lineitem, nation, orders, part, partsupp, region, supplier]");
            List<String> columns = new ArrayList<>();
            try (ResultSet r = m.getColumns("tpch", "tiny", "nation", "%")) {
                while (r.next())
                    columns.add(r.getString("COLUMN_NAME") + " " + r.getString("TYPE_NAME"));
            }
            check("columns", columns, "[nationkey bigint, name varchar(25), regionkey bigint, comment varchar(152)]");
            try (Statement s = c.createStatement();
                 ResultSet r = s.executeQuery("SELECT name, regionkey FROM nation ORDER BY nationkey LIMIT 2")) {
                r.next();
                check("name", r.getString(1), "ALGERIA");
                check("regionkey", r.getLong("regionkey"), 0L);
                r.next();
                check("second", r.getString("name"), "ARGENTINA");
            }
            try (PreparedStatement s = c.prepareStatement("SELECT count(*) FROM nation WHERE regionkey = ? AND name <> ?")) {
                s.setLong(1, 1);
                s.setString(2, "CANADA");
                try (ResultSet r = s.executeQuery()) {
                    r.next();
                    check("count", r.getLong(1), 4L);
                }
            }
            try (Statement s = c.createStatement()) {
                s.executeQuery("SELECT nope FROM nation");
                throw new AssertionError("no error");
            } catch (SQLException e) {
                check("code", e.getErrorCode(), 47);
            }
        }
        System.out.println("done");
    }
}
