<%@ page contentType="text/plain" %>Java <%= System.getProperty("java.version") %>
1 + 1 = <%= 1 + 1 %>
